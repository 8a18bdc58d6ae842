import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Repository } from 'typeorm';
import { DomainError, notFound } from '../../common/domain-error.js';
import { asSystem } from '../../common/request-context.js';
import { randomToken, sha256 } from '../../common/random-token.js';
import type { Transaction } from '../../common/transaction.js';
import { Config } from '../../config/config.js';
import { TransactionRunner, managerOf } from '../../database/transaction-runner.js';
import { type Page, type PageQuery, pageOf } from '../../http/pagination.js';
import { AuditLog } from '../../modules/audit/audit-log.js';
import type { ClientInfo } from './client-info.js';
import { RefreshToken, Session } from './session.entity.js';

const PREFIX = 'hithe_rt_';

/** Why a session has ended. */
export type RevocationReason =
  | 'logout'
  | 'revoked'
  | 'revoked-by-administrator'
  | 'refresh-token-reused'
  | 'password-changed'
  | 'password-reset'
  | 'user-disabled'
  | 'second-factor-reset';

/** What is known of a log-in when its session opens. */
export interface NewSession {
  client: ClientInfo;
  /** With what it was proved, in order: `password`, `totp`, … */
  methods: string[];
  secondFactor: boolean;
}

export interface IssuedSession {
  sessionId: string;
  userId: string;
  refreshToken: string;
}

type Rotation = { outcome: 'rotated'; session: IssuedSession } | { outcome: 'refused' };

interface PresentedToken {
  id: string;
  session_id: string;
  user_id: string;
  email: string;
  expired: boolean;
  revoked: boolean;
  used: boolean;
  /** Used after this request had begun: two honest requests raced. */
  raced: boolean;
}

/** Log-ins and their rotating refresh tokens. The database holds SHA-256 hashes of 256-bit random tokens only. */
@Injectable()
export class Sessions {
  constructor(
    private readonly transactions: TransactionRunner,
    @InjectRepository(Session) private readonly sessions: Repository<Session>,
    private readonly audit: AuditLog,
    private readonly config: Config,
  ) {}

  /** Opens a session inside the caller's transaction, and returns its first refresh token. */
  async open(tx: Transaction, userId: string, { client, methods, secondFactor }: NewSession): Promise<IssuedSession> {
    const manager = managerOf(tx);
    const session = await manager.save(
      manager.create(Session, { userId, methods, secondFactor, address: client.address, userAgent: client.userAgent }),
    );
    return { sessionId: session.id, userId, refreshToken: await this.issue(tx, session.id) };
  }

  /**
   * Exchanges a refresh token for the next one; each works once. Of two at the same time one wins. A token that comes back
   * after it was used is stolen, here or there: the whole session ends.
   */
  async rotate(refreshToken: string, client: ClientInfo): Promise<IssuedSession> {
    const result = await asSystem('sessions', () => this.transactions.run((tx) => this.tryRotate(tx, refreshToken, client)));
    if (result.outcome === 'rotated') return result.session;
    throw new DomainError('unauthenticated', 'REFRESH_TOKEN_INVALID', 'This refresh token is not valid any more.', {
      fix: 'Log in again.',
    });
  }

  /** Ends the session of this refresh token; an unknown one is nothing to end. */
  async close(refreshToken: string): Promise<void> {
    await asSystem('sessions', () =>
      this.transactions.run(async (tx) => {
        const [found] = await tx.query<{ id: string; user_id: string; email: string }[]>(
          `SELECT s.id, s.user_id, u.email FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id
            WHERE t.token_hash = $1 AND s.revoked_at IS NULL`,
          [sha256(refreshToken)],
        );
        if (!found || (await this.revoke(tx, { id: found.id }, 'logout')) === 0) return;
        await this.audit.record(tx, {
          action: 'user.logged-out',
          subject: { type: 'session', id: found.id },
          actor: { userId: found.user_id, email: found.email },
        });
      }),
    );
  }

  /** The sessions of a user that have not ended, oldest first. */
  list(userId: string, page: PageQuery): Promise<Page<Session>> {
    const query = this.sessions
      .createQueryBuilder('session')
      .where('session.userId = :userId AND session.revokedAt IS NULL', { userId })
      .andWhere('EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.session_id = session.id AND t.used_at IS NULL AND t.expires_at > now())');
    return pageOf(query, page);
  }

  /** Ends one session of a user; `SESSION_NOT_FOUND` when they have no such session. */
  async end(userId: string, sessionId: string, reason: RevocationReason): Promise<void> {
    await this.transactions.run(async (tx) => {
      if ((await this.revoke(tx, { id: sessionId, userId }, reason)) === 0) throw notFound('session', sessionId);
      await this.audit.record(tx, {
        action: 'session.revoked',
        subject: { type: 'session', id: sessionId },
        details: { userId, reason },
      });
    });
  }

  /** Ends every session of a user but the one to keep, inside the caller's transaction. Returns how many there were. */
  async endAll(tx: Transaction, userId: string, reason: RevocationReason, keep?: string): Promise<number> {
    const ended = await this.revoke(tx, { userId, ...(keep === undefined ? {} : { keep }) }, reason);
    if (ended > 0) {
      await this.audit.record(tx, {
        action: 'session.all-revoked',
        subject: { type: 'user', id: userId },
        details: { reason, sessions: ended, ...(keep === undefined ? {} : { kept: keep }) },
      });
    }
    return ended;
  }

  /** What requests need to know of a session; null when it has ended. */
  live(sessionId: string): Promise<Pick<Session, 'id' | 'secondFactor'> | null> {
    return this.sessions.findOne({ select: { id: true, secondFactor: true }, where: { id: sessionId, revokedAt: IsNull() } });
  }

  /** From now on this session counts as one that has shown a second factor. */
  async markSecondFactor(tx: Transaction, sessionId: string): Promise<void> {
    await managerOf(tx).update(Session, { id: sessionId }, { secondFactor: true });
  }

  /** Drops sessions whose newest refresh token has expired; until then a used one must stay known, to be caught. */
  async forgetOld(): Promise<void> {
    await this.sessions.query(
      `DELETE FROM sessions s WHERE NOT EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.session_id = s.id AND t.expires_at > now())
         AND s.created_at < now() - interval '1 hour'`,
    );
  }

  private async tryRotate(tx: Transaction, refreshToken: string, client: ClientInfo): Promise<Rotation> {
    const [found] = await tx.query<PresentedToken[]>(
      `SELECT t.id, t.session_id, s.user_id, u.email, t.expires_at <= now() AS expired, s.revoked_at IS NOT NULL AS revoked,
              t.used_at IS NOT NULL AS used, coalesce(t.used_at > now(), false) AS raced
         FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id
        WHERE t.token_hash = $1 FOR UPDATE OF t`,
      [sha256(refreshToken)],
    );
    if (!found || found.revoked || found.expired || found.raced) return { outcome: 'refused' };
    if (found.used) {
      await this.endReplayed(tx, found);
      return { outcome: 'refused' };
    }
    // clock_timestamp, not now(): a rival that waits for this row's lock has begun before this moment.
    await tx.query('UPDATE refresh_tokens SET used_at = clock_timestamp(), updated_at = clock_timestamp() WHERE id = $1', [found.id]);
    await tx.query('UPDATE sessions SET last_used_at = now(), updated_at = now(), address = $2, user_agent = $3 WHERE id = $1', [
      found.session_id,
      client.address,
      client.userAgent,
    ]);
    const next = await this.issue(tx, found.session_id);
    return { outcome: 'rotated', session: { sessionId: found.session_id, userId: found.user_id, refreshToken: next } };
  }

  private async endReplayed(tx: Transaction, { session_id, user_id, email }: PresentedToken): Promise<void> {
    await this.revoke(tx, { id: session_id }, 'refresh-token-reused');
    await this.audit.record(tx, {
      action: 'session.refresh-token-replayed',
      outcome: 'denied',
      subject: { type: 'session', id: session_id },
      details: { userId: user_id, consequence: 'the session has ended' },
      actor: { userId: user_id, email },
    });
  }

  private async issue(tx: Transaction, sessionId: string): Promise<string> {
    const token = randomToken(PREFIX);
    const manager = managerOf(tx);
    const expiresAt = new Date(Date.now() + this.config.refreshTokenTtl * 1000);
    await manager.save(manager.create(RefreshToken, { sessionId, tokenHash: sha256(token), expiresAt }));
    return token;
  }

  private async revoke(tx: Transaction, which: { id?: string; userId?: string; keep?: string }, reason: string): Promise<number> {
    const update = managerOf(tx)
      .createQueryBuilder()
      .update(Session)
      .set({ revokedAt: () => 'now()', revokedReason: reason })
      .where('revokedAt IS NULL');
    if (which.id !== undefined) update.andWhere('id = :id', which);
    if (which.userId !== undefined) update.andWhere('userId = :userId', which);
    if (which.keep !== undefined) update.andWhere('id <> :keep', which);
    return (await update.execute()).affected ?? 0;
  }
}
