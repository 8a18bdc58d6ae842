import { Injectable } from '@nestjs/common';
import { ApiTokens, type StoredToken, type TokensOf } from '../../auth/api-tokens/api-tokens.js';
import type { TokenKind } from '../../auth/api-tokens/token-format.js';
import type { Actor } from '../../auth/actor.js';
import { Reauthentication } from '../../auth/factors/reauthentication.js';
import { notFound } from '../../common/domain-error.js';
import type { Transaction } from '../../common/transaction.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import type { Page, PageQuery } from '../../http/pagination.js';
import { AuditLog } from '../audit/audit-log.js';
import { TeamsService } from '../teams/teams.service.js';
import { ScopeResolver } from './scope-resolver.js';

/** A token as somebody wants it. */
export interface TokenWish {
  name: string;
  /** As people write them. */
  scopes: readonly string[];
  days: number;
  /** The only team in which it acts. */
  teamId: string | null;
}

export interface IssuedToken {
  token: string;
  stored: StoredToken;
}

/** API tokens of people and, for `ServiceAccountsService`, of service accounts. */
@Injectable()
export class TokensService {
  constructor(
    private readonly tokens: ApiTokens,
    private readonly scopes: ScopeResolver,
    private readonly teams: TeamsService,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
    private readonly reauthentication: Reauthentication,
  ) {}

  /** A token of the caller's own. */
  async createOwn(actor: Actor, wish: TokenWish): Promise<IssuedToken> {
    if (wish.teamId !== null) await this.teams.require(actor, wish.teamId);
    return this.issue(actor, { userId: actor.userId, kind: 'pat' }, wish);
  }

  /** A token of `owner`, made by `actor`, who was found to be allowed to, and who logged in or proved who they are within five minutes. */
  async issue(actor: Actor, owner: { userId: string; kind: TokenKind }, wish: TokenWish): Promise<IssuedToken> {
    await this.reauthentication.requireRecent(actor);
    const { scopes, teamId } = await this.scopes.resolve(actor, wish.scopes, wish.teamId);
    const { name, days } = wish;
    return this.transactions.run(async (tx) => {
      const issued = await this.tokens.issue(tx, { ...owner, teamId, name, scopes, days, createdBy: actor.userId });
      const { expiresAt } = issued.stored;
      await this.record(tx, 'token.created', issued.stored, { after: { scopes, teamId, expiresAt: expiresAt.toISOString() } });
      return issued;
    });
  }

  listOwn(actor: Actor, page: PageQuery): Promise<Page<StoredToken>> {
    return this.tokens.list({ userId: actor.userId }, page);
  }

  /** The tokens that act in this team alone: those of its service accounts, and those that members made for it. */
  async listOfTeam(actor: Actor, teamId: string, page: PageQuery): Promise<Page<StoredToken>> {
    await this.teams.require(actor, teamId, 'manage-tokens');
    return this.tokens.list({ teamId }, page);
  }

  async revokeOwn(actor: Actor, tokenId: string): Promise<void> {
    await this.revoke({ userId: actor.userId }, tokenId);
  }

  /** Ends a token that acts in this team alone. */
  async revokeOfTeam(actor: Actor, teamId: string, tokenId: string): Promise<void> {
    await this.teams.require(actor, teamId, 'manage-tokens');
    await this.revoke({ teamId }, tokenId);
  }

  /** Tokens for whoever was found to be allowed to see them. */
  listOf(whose: TokensOf, page: PageQuery): Promise<Page<StoredToken>> {
    return this.tokens.list(whose, page);
  }

  /** Ends one of these tokens; `TOKEN_NOT_FOUND` when there is none of that id. */
  async revoke(whose: TokensOf, tokenId: string): Promise<void> {
    await this.transactions.run(async (tx) => {
      const revoked = await this.tokens.revoke(tx, whose, tokenId);
      if (revoked === null) throw notFound('token', tokenId);
      await this.record(tx, 'token.revoked', revoked, {});
    });
  }

  private record(tx: Transaction, action: string, token: StoredToken, changed: { after?: unknown }): Promise<void> {
    const { id, name, teamId, userId } = token;
    return this.audit.record(tx, { action, teamId, subject: { type: 'token', id, name }, details: { ownerId: userId }, ...changed });
  }
}
