import { Injectable, Logger } from '@nestjs/common';
import { DomainError } from '../../common/domain-error.js';
import type { Transaction } from '../../common/transaction.js';
import { Config } from '../../config/config.js';
import { managerOf } from '../../database/transaction-runner.js';
import { AuditLog } from '../../modules/audit/audit-log.js';
import { GroupMemberships, type GroupTeam } from '../../modules/teams/group-memberships.js';
import { UserAccounts } from '../../modules/users/user-accounts.js';
import type { TeamRole } from '../actor.js';
import { GroupRole, Identity } from './oidc.entities.js';
import { wantedRights } from './wanted-rights.js';

interface Person {
  id: string;
  email: string;
}

/**
 * Gives people the roles that `HITHE_OIDC_GROUPS` maps their groups to, and takes away what it gave before. It touches nothing
 * that people gave by hand, and never the last owner of a team or the last platform administrator.
 */
@Injectable()
export class GroupRoles {
  private readonly logger = new Logger(GroupRoles.name);

  constructor(
    private readonly memberships: GroupMemberships,
    private readonly accounts: UserAccounts,
    private readonly audit: AuditLog,
    private readonly config: Config,
  ) {}

  /** Brings the roles in line with these groups. Without a mapping nothing is touched. */
  async apply(tx: Transaction, identity: Identity, user: Person, groups: readonly string[]): Promise<void> {
    const mapping = this.config.oidcGroups;
    if (mapping === undefined) return;
    const wanted = wantedRights(mapping, groups);
    await this.administer(tx, identity, user, wanted.platformAdmin);
    const teams = await this.memberships.teams(tx, [...wanted.teams.keys()]);
    for (const slug of wanted.teams.keys()) {
      if (!teams.some((team) => team.slug === slug)) this.logger.warn(`HITHE_OIDC_GROUPS names the team "${slug}", which does not exist`);
    }
    const managed = await managerOf(tx).findBy(GroupRole, { userId: user.id });
    for (const team of teams) await this.give(tx, user, team, wanted.teams.get(team.slug) ?? 'viewer', managed);
    for (const row of managed) if (!teams.some((team) => team.id === row.teamId)) await this.takeAway(tx, user, row);
  }

  /** Takes away all that groups gave, because the identity goes. */
  async withdraw(tx: Transaction, identity: Identity, user: Person): Promise<void> {
    await this.administer(tx, identity, user, false);
    for (const row of await managerOf(tx).findBy(GroupRole, { userId: user.id })) await this.takeAway(tx, user, row);
  }

  private async give(tx: Transaction, user: Person, team: GroupTeam, role: TeamRole, managed: readonly GroupRole[]): Promise<void> {
    const present = await this.memberships.roleOf(tx, team.id, user.id);
    const ours = managed.some((row) => row.teamId === team.id);
    if (present === role || (present !== undefined && !ours)) return;
    const done = await this.memberships.set(tx, team.id, user.id, role);
    if (!ours) await managerOf(tx).save(managerOf(tx).create(GroupRole, { userId: user.id, teamId: team.id }));
    await this.record(tx, user, team.id, present === undefined ? 'member.added' : 'member.role-changed', done, present, role);
  }

  private async takeAway(tx: Transaction, user: Person, row: GroupRole): Promise<void> {
    const present = await this.memberships.roleOf(tx, row.teamId, user.id);
    const done = await this.memberships.set(tx, row.teamId, user.id, null);
    // The last owner stays, and is asked again at the next log-in.
    if (done) await managerOf(tx).remove(row);
    if (present !== undefined) await this.record(tx, user, row.teamId, 'member.removed', done, present, undefined);
  }

  private async record(
    tx: Transaction,
    user: Person,
    teamId: string,
    action: 'member.added' | 'member.role-changed' | 'member.removed',
    done: boolean,
    before: string | undefined,
    after: string | undefined,
  ): Promise<void> {
    if (!done)
      this.logger.warn(`${user.email} stays the owner of a team that would have no other, though no group gives that role any more`);
    await this.audit.record(tx, {
      action,
      outcome: done ? 'success' : 'failed',
      teamId,
      subject: { type: 'member', id: user.id, name: user.email },
      ...(before === undefined ? {} : { before: { role: before } }),
      ...(after === undefined ? {} : { after: { role: after } }),
      details: { by: 'oidc-groups', ...(done ? {} : { code: 'LAST_OWNER' }) },
      actor: { userId: user.id, email: user.email },
    });
  }

  private async administer(tx: Transaction, identity: Identity, user: Person, wanted: boolean): Promise<void> {
    if (!wanted && !identity.platformAdmin) return;
    if (!wanted && !(await this.hasOtherAdmin(tx, user))) return;
    const account = await this.accounts.lock(tx, user.id);
    if (!account || (wanted && account.platformAdmin)) return;
    account.platformAdmin = wanted;
    await this.accounts.save(tx, account);
    await managerOf(tx).update(Identity, { id: identity.id }, { platformAdmin: wanted });
    await this.audit.record(tx, {
      action: wanted ? 'platform-admin.granted' : 'platform-admin.revoked',
      subject: { type: 'user', id: user.id, name: user.email },
      details: { by: 'oidc-groups' },
      actor: { userId: user.id, email: user.email },
    });
  }

  private async hasOtherAdmin(tx: Transaction, user: Person): Promise<boolean> {
    try {
      await this.accounts.assertOtherPlatformAdmin(tx, user.id);
      return true;
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      this.logger.warn(`${user.email} stays platform administrator: ${error.message}`);
      return false;
    }
  }
}
