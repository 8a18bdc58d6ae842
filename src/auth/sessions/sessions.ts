import { createHash, randomBytes } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Repository } from 'typeorm';
import { DomainError } from '../../common/domain-error.js';
import type { Transaction } from '../../common/transaction.js';
import { Config } from '../../config/config.js';
import { TransactionRunner, managerOf } from '../../database/transaction-runner.js';
import { RefreshToken, Session } from './session.entity.js';

const TOKEN_BYTES = 32;
const PREFIX = 'hithe_rt_';

export interface IssuedSession {
  sessionId: string;
  userId: string;
  refreshToken: string;
}

type Rotation = { outcome: 'rotated'; session: IssuedSession } | { outcome: 'refused' } | { outcome: 'reused'; sessionId: string };

interface PresentedToken {
  id: string;
  session_id: string;
  user_id: string;
  expired: boolean;
  revoked: boolean;
  used: boolean;
  /** Used after this request had begun: two honest requests raced. */
  raced: boolean;
}

/** Log-ins and their rotating refresh tokens. The database holds SHA-256 hashes of 256-bit random tokens only. */
@Injectable()
export class Sessions {
  private readonly logger = new Logger(Sessions.name);

  constructor(
    private readonly transactions: TransactionRunner,
    @InjectRepository(Session) private readonly sessions: Repository<Session>,
    private readonly config: Config,
  ) {}

  /** Opens a session and returns its first refresh token. */
  open(userId: string): Promise<IssuedSession> {
    return this.transactions.run(async (tx) => {
      const session = await tx.save(tx.create(Session, { userId }));
      return { sessionId: session.id, userId, refreshToken: await this.issue(tx, session.id) };
    });
  }

  /**
   * Exchanges a refresh token for the next one; each works once. Of two at the same time one wins. A token that comes back
   * after it was used is stolen, here or there: the whole session ends.
   */
  async rotate(refreshToken: string): Promise<IssuedSession> {
    const result = await this.transactions.run((tx) => this.tryRotate(tx, refreshToken));
    if (result.outcome === 'rotated') return result.session;
    if (result.outcome === 'reused') this.logger.warn(`Session ${result.sessionId} ended: a used refresh token came back`);
    throw new DomainError('unauthenticated', 'REFRESH_TOKEN_INVALID', 'This refresh token is not valid any more.', {
      fix: 'Log in again.',
    });
  }

  /** Ends the session of this refresh token; an unknown one is nothing to end. */
  async close(refreshToken: string): Promise<void> {
    await this.transactions.run(async (tx) => {
      const token = await tx.findOneBy(RefreshToken, { tokenHash: hashOf(refreshToken) });
      if (token) await this.revoke(tx, { id: token.sessionId }, 'logout');
    });
  }

  /** Ends every session of a user, inside the caller's transaction. */
  async closeAllOf(tx: Transaction, userId: string, reason: 'user-disabled' | 'logout'): Promise<void> {
    await this.revoke(tx, { userId }, reason);
  }

  /** Whether this session has not ended. */
  isLive(sessionId: string): Promise<boolean> {
    return this.sessions.existsBy({ id: sessionId, revokedAt: IsNull() });
  }

  /** Drops sessions whose newest refresh token has expired; until then a used one must stay known, to be caught. */
  async forgetOld(): Promise<void> {
    await this.sessions.query(
      `DELETE FROM sessions s WHERE NOT EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.session_id = s.id AND t.expires_at > now())
         AND s.created_at < now() - interval '1 hour'`,
    );
  }

  private async tryRotate(tx: Transaction, refreshToken: string): Promise<Rotation> {
    const [found] = await tx.query<PresentedToken[]>(
      `SELECT t.id, t.session_id, s.user_id, t.expires_at <= now() AS expired, s.revoked_at IS NOT NULL AS revoked,
              t.used_at IS NOT NULL AS used, coalesce(t.used_at > now(), false) AS raced
         FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id
        WHERE t.token_hash = $1 FOR UPDATE OF t`,
      [hashOf(refreshToken)],
    );
    if (!found || found.revoked || found.expired || found.raced) return { outcome: 'refused' };
    if (found.used) {
      await this.revoke(tx, { id: found.session_id }, 'refresh-token-reused');
      return { outcome: 'reused', sessionId: found.session_id };
    }
    // clock_timestamp, not now(): a rival that waits for this row's lock has begun before this moment.
    await tx.query('UPDATE refresh_tokens SET used_at = clock_timestamp(), updated_at = clock_timestamp() WHERE id = $1', [found.id]);
    const next = await this.issue(tx, found.session_id);
    return { outcome: 'rotated', session: { sessionId: found.session_id, userId: found.user_id, refreshToken: next } };
  }

  private async issue(tx: Transaction, sessionId: string): Promise<string> {
    const token = PREFIX + randomBytes(TOKEN_BYTES).toString('base64url');
    const manager = managerOf(tx);
    const expiresAt = new Date(Date.now() + this.config.refreshTokenTtl * 1000);
    await manager.save(manager.create(RefreshToken, { sessionId, tokenHash: hashOf(token), expiresAt }));
    return token;
  }

  private async revoke(tx: Transaction, which: { id: string } | { userId: string }, reason: string): Promise<void> {
    await managerOf(tx).update(Session, { ...which, revokedAt: IsNull() }, { revokedAt: () => 'now()', revokedReason: reason });
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
