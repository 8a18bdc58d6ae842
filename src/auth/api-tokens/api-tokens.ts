import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Repository } from 'typeorm';
import { DomainError } from '../../common/domain-error.js';
import type { Transaction } from '../../common/transaction.js';
import { TransactionRunner, managerOf } from '../../database/transaction-runner.js';
import { type Page, type PageQuery, pageOf } from '../../http/pagination.js';
import { ApiToken } from './api-token.entity.js';
import { type TokenKind, hashOfToken, newToken } from './token-format.js';

/** A token as the database has it. */
export type StoredToken = Readonly<ApiToken>;

export const LONGEST_LIFE_DAYS = 365;
export const DEFAULT_LIFE_DAYS = 90;
const MOST_TOKENS = 100;
const DAY_MS = 86_400_000;
/** Until then a dead token is answered with what became of it. */
const DEAD_FOR_DAYS = 90;

export interface NewApiToken {
  kind: TokenKind;
  userId: string;
  teamId: string | null;
  name: string;
  scopes: readonly string[];
  days: number;
  createdBy: string;
}

/** Whose tokens: a user's, or, of those that act in one team only, that team's. */
export type TokensOf = { userId: string } | { teamId: string; userId?: string };

/** API tokens by the SHA-256 of 214 random bits; the database never has the token. */
@Injectable()
export class ApiTokens {
  constructor(
    @InjectRepository(ApiToken) private readonly tokens: Repository<ApiToken>,
    private readonly transactions: TransactionRunner,
  ) {}

  /** The token whoever its owner is, also a revoked or expired one. */
  find(token: string): Promise<StoredToken | null> {
    return this.tokens.findOneBy({ tokenHash: hashOfToken(token) });
  }

  byId(tokenId: string): Promise<StoredToken | null> {
    return this.tokens.findOneBy({ id: tokenId });
  }

  /** Makes a token; its clear text is in the answer and nowhere else. Throws `TOKENS_TOO_MANY`. */
  async issue(tx: Transaction, wanted: NewApiToken): Promise<{ token: string; stored: StoredToken }> {
    const manager = managerOf(tx);
    if ((await manager.countBy(ApiToken, { userId: wanted.userId, revokedAt: IsNull() })) >= MOST_TOKENS) {
      throw new DomainError('quota', 'TOKENS_TOO_MANY', `There are ${MOST_TOKENS} tokens already.`, {
        fix: 'Revoke those that nobody needs.',
      });
    }
    const token = newToken(wanted.kind);
    const { userId, teamId, name, createdBy } = wanted;
    const stored = manager.create(ApiToken, {
      userId,
      teamId,
      name,
      createdBy,
      tokenHash: hashOfToken(token),
      scopes: [...wanted.scopes],
      expiresAt: new Date(Date.now() + Math.min(wanted.days, LONGEST_LIFE_DAYS) * DAY_MS),
      lastUsedAt: null,
      lastUsedAddress: null,
      revokedAt: null,
    });
    return { token, stored: await manager.save(stored) };
  }

  /** Those that were not revoked, expired ones too; newest first. */
  list(whose: TokensOf, page: PageQuery): Promise<Page<StoredToken>> {
    return pageOf(this.tokens.createQueryBuilder('token').where({ ...whose, revokedAt: IsNull() }), page, 'DESC');
  }

  /** Ends a token at once; null when there is no live one of that id among those. */
  async revoke(tx: Transaction, whose: TokensOf, tokenId: string): Promise<StoredToken | null> {
    const manager = managerOf(tx);
    const token = await manager.findOne(ApiToken, {
      where: { id: tokenId, ...whose, revokedAt: IsNull() },
      lock: { mode: 'pessimistic_write' },
    });
    if (token === null) return null;
    token.revokedAt = new Date();
    return manager.save(token);
  }

  /** Drops tokens that ended long ago. */
  async forgetOld(): Promise<void> {
    await this.transactions.statement('DELETE FROM api_tokens WHERE least(revoked_at, expires_at) < now() - make_interval(days => $1)', [
      DEAD_FOR_DAYS,
    ]);
  }
}
