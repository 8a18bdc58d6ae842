import { Injectable } from '@nestjs/common';
import type { StoredToken } from '../../auth/api-tokens/api-tokens.js';
import type { Actor, ProjectRole } from '../../auth/actor.js';
import { DomainError, notFound } from '../../common/domain-error.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import type { Page, PageQuery } from '../../http/pagination.js';
import { AuditLog } from '../audit/audit-log.js';
import { type Member, TeamMembersService } from '../teams/team-members.service.js';
import { TeamsService } from '../teams/teams.service.js';
import { type IssuedToken, type TokenWish, TokensService } from '../tokens/tokens.service.js';
import { serviceAddress } from '../users/service-address.js';
import { UserAccounts } from '../users/user-accounts.js';
import { UserDirectory } from '../users/user-directory.js';

/** A service account, and what it is in its team, as long as nobody took it out. */
export interface ServiceAccount {
  user: { id: string; email: string; createdAt: Date };
  teamId: string;
  member: Member | undefined;
}

/** A built-in role or a custom one of the team. */
export interface ServiceRole {
  role?: ProjectRole | undefined;
  roleId?: string | undefined;
}

const MOST_ACCOUNTS = 50;

/**
 * Users that are no people: they belong to one team, cannot log in, and act with API tokens alone. Whoever manages one can act as
 * it, so one manages only those whose rights are below one's own, as with members.
 */
@Injectable()
export class ServiceAccountsService {
  constructor(
    private readonly directory: UserDirectory,
    private readonly accounts: UserAccounts,
    private readonly teams: TeamsService,
    private readonly members: TeamMembersService,
    private readonly tokens: TokensService,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
  ) {}

  /** Throws `ROLE_TOO_HIGH`, `EMAIL_TAKEN`, `SERVICE_ACCOUNTS_TOO_MANY`. */
  async create(actor: Actor, teamId: string, name: string, role: ServiceRole): Promise<ServiceAccount> {
    const team = await this.teams.require(actor, teamId, 'manage-tokens');
    return this.transactions.run(async (tx) => {
      if ((await this.directory.countServices(tx, teamId)) >= MOST_ACCOUNTS) throw tooMany();
      const user = await this.directory.addService(tx, { email: serviceAddress(name, team.slug), homeTeamId: teamId });
      const member = await this.members.setRole(actor, tx, teamId, user, role);
      const subject = { type: 'service-account', id: user.id, name: user.email };
      await this.audit.record(tx, { action: 'service-account.created', teamId, subject, after: { role: member.roleName } });
      return { user, teamId, member };
    });
  }

  async list(actor: Actor, teamId: string, page: PageQuery): Promise<Page<ServiceAccount>> {
    await this.teams.require(actor, teamId);
    const found = await this.directory.servicesOf(teamId, page);
    const members = await this.members.membersAmong(teamId, found.items);
    return { ...found, items: found.items.map((user) => ({ user, teamId, member: members.get(user.id) })) };
  }

  /** Gives another role. Throws `ROLE_TOO_HIGH`. */
  async setRole(actor: Actor, teamId: string, accountId: string, role: ServiceRole): Promise<ServiceAccount> {
    const user = await this.require(actor, teamId, accountId);
    const member = await this.transactions.run((tx) => this.members.setRole(actor, tx, teamId, user, role));
    return { user, teamId, member };
  }

  /** Takes the account away with its tokens; what it did stays in the audit log. */
  async remove(actor: Actor, teamId: string, accountId: string): Promise<void> {
    await this.require(actor, teamId, accountId);
    await this.transactions.run(async (tx) => {
      await this.members.assertMayManage(actor, tx, teamId, accountId);
      const user = await this.accounts.lock(tx, accountId);
      if (user === null) throw missing(accountId);
      const subject = { type: 'service-account', id: user.id, name: user.email };
      await this.audit.record(tx, { action: 'service-account.deleted', teamId, subject });
      await this.accounts.remove(tx, user);
    });
  }

  /** A token of the account; its scopes can only lessen the account's role. */
  async createToken(actor: Actor, teamId: string, accountId: string, wish: Omit<TokenWish, 'teamId'>): Promise<IssuedToken> {
    const user = await this.require(actor, teamId, accountId);
    await this.transactions.run((tx) => this.members.assertMayManage(actor, tx, teamId, accountId));
    return this.tokens.issue(actor, { userId: user.id, kind: 'sat' }, { ...wish, teamId });
  }

  async listTokens(actor: Actor, teamId: string, accountId: string, page: PageQuery): Promise<Page<StoredToken>> {
    const user = await this.require(actor, teamId, accountId);
    return this.tokens.listOf({ teamId, userId: user.id }, page);
  }

  /** Ends a token of the account. Ending one needs no more than managing tokens: it only takes away. */
  async revokeToken(actor: Actor, teamId: string, accountId: string, tokenId: string): Promise<void> {
    const user = await this.require(actor, teamId, accountId);
    await this.tokens.revoke({ teamId, userId: user.id }, tokenId);
  }

  private async require(actor: Actor, teamId: string, accountId: string): Promise<ServiceAccount['user']> {
    await this.teams.require(actor, teamId, 'manage-tokens');
    const user = await this.directory.findService(teamId, accountId);
    if (user === null) throw missing(accountId);
    return user;
  }
}

function missing(accountId: string): DomainError {
  return notFound('service account', accountId);
}

function tooMany(): DomainError {
  return new DomainError('quota', 'SERVICE_ACCOUNTS_TOO_MANY', `This team has ${MOST_ACCOUNTS} service accounts already.`, {
    fix: 'Delete those that nobody uses.',
  });
}
