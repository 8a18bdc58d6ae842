import { Injectable } from '@nestjs/common';
import type { Actor } from '../../auth/actor.js';
import type { Session } from '../../auth/sessions/session.entity.js';
import { Sessions } from '../../auth/sessions/sessions.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import type { Page, PageQuery } from '../../http/pagination.js';

/** The sessions of whoever is logged in. */
@Injectable()
export class MySessionsService {
  constructor(
    private readonly sessions: Sessions,
    private readonly transactions: TransactionRunner,
  ) {}

  list(actor: Actor, page: PageQuery): Promise<Page<Session>> {
    return this.sessions.list(actor.userId, page);
  }

  /** Ends one, also the one at hand. Throws `SESSION_NOT_FOUND`. */
  end(actor: Actor, sessionId: string): Promise<void> {
    return this.sessions.end(actor.userId, sessionId, 'revoked');
  }

  /** Ends all but the one at hand; how many there were. */
  endOthers(actor: Actor): Promise<number> {
    const keep = actor.credential.kind === 'session' ? actor.credential.sessionId : undefined;
    return this.transactions.run((tx) => this.sessions.endAll(tx, actor.userId, 'revoked', keep));
  }
}
