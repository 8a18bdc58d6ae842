import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { requestContext } from '../../common/request-context.js';
import { stackOf } from '../../common/thrown.js';
import { TransactionRunner, managerOf } from '../../database/transaction-runner.js';
import { AuditLog } from '../../modules/audit/audit-log.js';
import type { Actor } from '../actor.js';
import type { StoredToken } from './api-tokens.js';

const INTERVAL_MS = 60_000;

/** Only one of several servers, and of several requests at once, finds the old time. */
const TOUCH = `
  UPDATE api_tokens SET last_used_at = now(), last_used_address = $2, updated_at = now()
   WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= now() - make_interval(secs => $3))`;

/** Writes when and from where a token was last used: at most once a minute, and not while the request waits. */
@Injectable()
export class ApiTokenUse implements OnModuleDestroy {
  private readonly logger = new Logger(ApiTokenUse.name);
  private readonly pending = new Map<string, Promise<void>>();

  constructor(
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
  ) {}

  /** Notes that `actor` has just used the token. A failure is logged: it must not fail the request. */
  note(token: StoredToken, actor: Actor): void {
    const fresh = token.lastUsedAt !== null && Date.now() - token.lastUsedAt.getTime() < INTERVAL_MS;
    if (fresh || this.pending.has(token.id)) return;
    const work = this.write(token, actor)
      .catch((error: unknown) => {
        this.logger.error(`The last use of the token ${token.id} could not be noted`, stackOf(error));
      })
      .finally(() => this.pending.delete(token.id));
    this.pending.set(token.id, work);
  }

  /** Waits until everything is noted. */
  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.pending.values());
  }

  private async write(token: StoredToken, actor: Actor): Promise<void> {
    const address = requestContext()?.address ?? null;
    await this.transactions.run(async (tx) => {
      const [, touched] = await managerOf(tx).query<[unknown[], number]>(TOUCH, [token.id, address, INTERVAL_MS / 1_000]);
      if (touched === 0 || address === token.lastUsedAddress) return;
      await this.audit.record(tx, {
        action: 'token.used-from-new-address',
        teamId: token.teamId,
        subject: { type: 'token', id: token.id, name: token.name },
        actor: { userId: actor.userId, email: actor.email },
        before: { address: token.lastUsedAddress },
        after: { address },
      });
    });
  }
}
