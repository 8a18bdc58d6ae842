import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, In, Repository } from 'typeorm';
import { mayDo } from '../../auth/ability.js';
import type { Actor, AnyRole, TeamRole } from '../../auth/actor.js';
import type { RoleRights } from '../../auth/team-rights.js';
import { notFound } from '../../common/domain-error.js';
import { asSystem } from '../../common/request-context.js';
import type { Transaction } from '../../common/transaction.js';
import { TransactionRunner, managerOf } from '../../database/transaction-runner.js';
import { type Page, type PageQuery, pageOf } from '../../http/pagination.js';
import { AuditLog } from '../audit/audit-log.js';
import { isServiceAddress } from '../users/service-address.js';
import { UserDirectory } from '../users/user-directory.js';
import type { UserKind } from '../users/user-kind.js';
import { assertOtherOwner, lockTeam } from './last-owner.js';
import { CustomRolesService, type ResolvedRole, type RoleChoice } from './roles/custom-roles.service.js';
import { type Giver, assertMayGive, assertMayGrant, mayGive } from './roles/role-giving.js';
import { type CustomRole, ProjectGrantRow, TeamMembership } from './team.entity.js';
import { TeamsService } from './teams.service.js';

/** A member, with the address that people know them by. */
export interface Member {
  userId: string;
  email: string;
  kind: UserKind;
  role: AnyRole;
  /** With `custom`: which. */
  roleId: string | null;
  /** The name of the role, built-in or custom. */
  roleName: string;
  since: Date;
}

/** Who belongs to a team. A team always has an owner; everybody else gives and takes only roles below their own rights. */
@Injectable()
export class TeamMembersService {
  constructor(
    private readonly teams: TeamsService,
    private readonly users: UserDirectory,
    private readonly roles: CustomRolesService,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
    @InjectRepository(TeamMembership) private readonly memberships: Repository<TeamMembership>,
  ) {}

  async list(actor: Actor, teamId: string, page: PageQuery): Promise<Page<Member>> {
    await this.teams.require(actor, teamId);
    const found = await pageOf(this.memberships.createQueryBuilder('membership').where({ teamId }), page);
    const emails = await this.users.emailsOf(found.items.map((membership) => membership.userId));
    const roles = await this.roles.byId(found.items.map((membership) => membership.roleId));
    return { ...found, items: found.items.map((membership) => memberOf(membership, emails.get(membership.userId) ?? '', roles)) };
  }

  /** Adds the user with that address, or changes their role. Throws `LAST_OWNER`, `ROLE_TOO_HIGH`. */
  async put(actor: Actor, teamId: string, email: string, choice: RoleChoice): Promise<Member> {
    await this.teams.require(actor, teamId, 'manage-members');
    const user = await this.users.findByEmail(email);
    if (!user) throw notFound('user', email);
    return this.transactions.run(async (tx) => {
      await lockTeam(tx, teamId);
      const wanted = await this.roles.resolve(tx, teamId, choice);
      const present = await tx.findOneBy(TeamMembership, { teamId, userId: user.id });
      const before = await this.rightsOf(tx, present);
      assertMayGive(actor, teamId, [...before, wanted.rights]);
      return this.set(tx, teamId, user, wanted, present);
    });
  }

  /** Takes a member out, with their grants; everybody may leave by themselves. Throws `LAST_OWNER`, `ROLE_TOO_HIGH`. */
  async remove(actor: Actor, teamId: string, userId: string): Promise<void> {
    await this.teams.require(actor, teamId, userId === actor.userId ? 'read' : 'manage-members');
    await this.transactions.run(async (tx) => {
      await lockTeam(tx, teamId);
      const present = await tx.findOneBy(TeamMembership, { teamId, userId });
      if (!present) throw notFound('member', userId);
      if (userId !== actor.userId) assertMayGive(actor, teamId, await this.rightsOf(tx, present));
      if (present.role === 'owner') await assertOtherOwner(tx, teamId, userId);
      const name = (await this.users.emailsOf([userId])).get(userId) ?? userId;
      const before = { role: await this.nameOf(tx, present) };
      await dropGrants(tx, teamId, userId);
      await tx.remove(present);
      await this.audit.record(tx, { action: 'member.removed', teamId, subject: { type: 'member', id: userId, name }, before });
    });
  }

  /** Throws `ROLE_TOO_HIGH` unless `actor` may give this role in the team; for invitations and accounts of services. */
  assertMayGive(actor: Actor, teamId: string, role: TeamRole): void {
    assertMayGive(actor, teamId, [role]);
  }

  /** Whether somebody who gave this role in the team could still do so. */
  mayGive(giver: Giver, teamId: string, role: TeamRole): boolean {
    return mayDo(giver, 'manage-members', 'Team', { id: teamId }) && mayGive(giver, teamId, role);
  }

  /** Changes the role of a member, or adds one, for modules that know them by id. Throws as `put` does. */
  async setRole(
    actor: Actor,
    tx: Transaction,
    teamId: string,
    user: { id: string; email: string },
    choice: RoleChoice<Exclude<TeamRole, 'owner'>>,
  ): Promise<Member> {
    await lockTeam(tx, teamId);
    const wanted = await this.roles.resolve(tx, teamId, choice);
    const present = await managerOf(tx).findOneBy(TeamMembership, { teamId, userId: user.id });
    assertMayGive(actor, teamId, [...(await this.rightsOf(tx, present)), wanted.rights]);
    return this.set(managerOf(tx), teamId, user, wanted, present);
  }

  /** Throws `ROLE_TOO_HIGH` unless `actor` may give and take what this member is, by role and by grants: whoever acts as them has it too. */
  async assertMayManage(actor: Actor, tx: Transaction, teamId: string, userId: string): Promise<void> {
    const present = await managerOf(tx).findOneBy(TeamMembership, { teamId, userId });
    assertMayGive(actor, teamId, await this.rightsOf(tx, present));
    for (const { projectId, rights } of await this.grantsOf(tx, teamId, userId)) assertMayGrant(actor, { id: projectId, teamId }, [rights]);
  }

  /** What these users are in the team, by user. */
  async membersAmong(teamId: string, users: readonly { id: string; email: string }[]): Promise<Map<string, Member>> {
    const found = await this.memberships.findBy({ teamId, userId: In(users.map((user) => user.id)) });
    const roles = await this.roles.byId(found.map((membership) => membership.roleId));
    const emails = new Map(users.map((user) => [user.id, user.email]));
    return new Map(found.map((each) => [each.userId, memberOf(each, emails.get(each.userId) ?? '', roles)]));
  }

  /** The role of somebody in a team, if they are in it. */
  async roleOf(teamId: string, userId: string): Promise<AnyRole | undefined> {
    return (await this.memberships.findOneBy({ teamId, userId }))?.role;
  }

  /** Makes somebody a member who was invited; a role that they have already stays. The caller has checked that they may. */
  async join(tx: Transaction, teamId: string, userId: string, role: TeamRole): Promise<void> {
    await asSystem('teams', async () => {
      await lockTeam(tx, teamId);
      const present = await managerOf(tx).findOneBy(TeamMembership, { teamId, userId });
      if (present) return;
      const email = (await this.users.emailsOf([userId])).get(userId) ?? userId;
      await this.set(managerOf(tx), teamId, { id: userId, email }, { role, roleId: null, name: role, rights: role }, null);
    });
  }

  private async set(
    tx: EntityManager,
    teamId: string,
    user: { id: string; email: string },
    wanted: ResolvedRole,
    present: TeamMembership | null,
  ): Promise<Member> {
    if (present?.role === 'owner' && wanted.role !== 'owner') await assertOtherOwner(tx, teamId, user.id);
    const before = present === null ? undefined : { role: await this.nameOf(tx, present) };
    const membership = present ?? tx.create(TeamMembership, { teamId, userId: user.id });
    Object.assign(membership, { role: wanted.role, roleId: wanted.roleId });
    await tx.save(membership);
    if (before?.role !== wanted.name) {
      await this.audit.record(tx, {
        action: before === undefined ? 'member.added' : 'member.role-changed',
        teamId,
        subject: { type: 'member', id: user.id, name: user.email },
        ...(before === undefined ? {} : { before }),
        after: { role: wanted.name },
      });
    }
    const { role, roleId, createdAt } = membership;
    return { userId: user.id, email: user.email, kind: kindOf(user.email), role, roleId, roleName: wanted.name, since: createdAt };
  }

  private async rightsOf(tx: Transaction, present: TeamMembership | null): Promise<RoleRights[]> {
    if (present === null) return [];
    if (present.role !== 'custom') return [present.role];
    return [...(await this.roles.byId([present.roleId], tx)).values()];
  }

  private async grantsOf(tx: Transaction, teamId: string, userId: string): Promise<{ projectId: string; rights: RoleRights }[]> {
    const rows = await managerOf(tx)
      .createQueryBuilder(ProjectGrantRow, 'grant')
      .where({ userId })
      .andWhere('"grant".project_id IN (SELECT id FROM projects WHERE team_id = :teamId)', { teamId })
      .getMany();
    const roles = await this.roles.byId(
      rows.map((row) => row.roleId),
      tx,
    );
    return rows.map(({ projectId, role, roleId }) => ({
      projectId,
      rights: role === 'custom' ? { rules: roles.get(roleId ?? '')?.rules ?? [] } : role,
    }));
  }

  private async nameOf(tx: Transaction, membership: TeamMembership): Promise<string> {
    return nameOf(membership, await this.roles.byId([membership.roleId], tx));
  }
}

/** Grants are for members of the project's team. */
async function dropGrants(tx: Transaction, teamId: string, userId: string): Promise<void> {
  await tx.query('DELETE FROM project_grants WHERE user_id = $2 AND project_id IN (SELECT id FROM projects WHERE team_id = $1)', [
    teamId,
    userId,
  ]);
}

function nameOf({ role, roleId }: TeamMembership, roles: ReadonlyMap<string, CustomRole>): string {
  return roles.get(roleId ?? '')?.name ?? role;
}

function kindOf(email: string): UserKind {
  return isServiceAddress(email) ? 'service' : 'person';
}

function memberOf(membership: TeamMembership, email: string, roles: ReadonlyMap<string, CustomRole>): Member {
  const { userId, role, roleId, createdAt } = membership;
  return { userId, email, kind: kindOf(email), role, roleId, roleName: nameOf(membership, roles), since: createdAt };
}
