import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Actor, ProjectRole } from '../../../auth/actor.js';
import { DomainError, notFound } from '../../../common/domain-error.js';
import type { Transaction } from '../../../common/transaction.js';
import { managerOf } from '../../../database/transaction-runner.js';
import { type Page, type PageQuery, pageOf } from '../../../http/pagination.js';
import { AuditLog } from '../../audit/audit-log.js';
import { UserDirectory } from '../../users/user-directory.js';
import { lockTeam } from '../last-owner.js';
import { CustomRolesService, type RoleChoice } from '../roles/custom-roles.service.js';
import { assertMayGrant } from '../roles/role-giving.js';
import { ProjectGrantRow, TeamMembership } from '../team.entity.js';

/** A role on one project. */
export interface Grant {
  projectId: string;
  userId: string;
  email: string;
  role: ProjectRole | 'custom';
  roleId: string | null;
  roleName: string;
  since: Date;
}

export interface GrantPlace {
  id: string;
  teamId: string;
  name: string;
}

/** Keeps the grants on projects. One for each member and project; nobody grants what they do not hold on it. */
@Injectable()
export class ProjectGrants {
  constructor(
    @InjectRepository(ProjectGrantRow) private readonly rows: Repository<ProjectGrantRow>,
    @InjectRepository(TeamMembership) private readonly memberships: Repository<TeamMembership>,
    private readonly users: UserDirectory,
    private readonly roles: CustomRolesService,
    private readonly audit: AuditLog,
  ) {}

  async page(projectId: string, page: PageQuery): Promise<Page<Grant>> {
    const found = await pageOf(this.rows.createQueryBuilder('grant').where({ projectId }), page);
    const emails = await this.users.emailsOf(found.items.map((row) => row.userId));
    const roles = await this.roles.byId(found.items.map((row) => row.roleId));
    const items = found.items.map((row) => grantOf(row, emails.get(row.userId) ?? '', roles.get(row.roleId ?? '')?.name));
    return { ...found, items };
  }

  /** A member of the team, by address or id; throws `NOT_A_MEMBER` for everybody else, whether they exist or not. */
  async memberOf(teamId: string, who: { userId?: string | undefined; email?: string | undefined }): Promise<{ id: string; email: string }> {
    const user = who.userId !== undefined ? await this.users.find(who.userId) : await this.users.findByEmail(who.email ?? '');
    if (user && (await this.memberships.existsBy({ teamId, userId: user.id }))) return { id: user.id, email: user.email };
    throw new DomainError(
      'not-found',
      'NOT_A_MEMBER',
      `There is no member "${who.email ?? who.userId ?? ''}" in the team of this project.`,
      {
        fix: 'Add them to the team first, as a viewer for example; the grant adds to that.',
      },
    );
  }

  async put(
    tx: Transaction,
    actor: Actor,
    project: GrantPlace,
    member: { id: string; email: string },
    choice: RoleChoice<ProjectRole>,
  ): Promise<Grant> {
    await lockTeam(tx, project.teamId);
    const wanted = await this.roles.resolve(tx, project.teamId, choice);
    const manager = managerOf(tx);
    const present = await manager.findOneBy(ProjectGrantRow, { projectId: project.id, userId: member.id });
    const old = present === null ? undefined : await this.nameAndRightsOf(tx, present);
    assertMayGrant(actor, project, old === undefined ? [wanted.rights] : [old.rights, wanted.rights]);
    const row = present ?? manager.create(ProjectGrantRow, { projectId: project.id, userId: member.id });
    await manager.save(Object.assign(row, { role: wanted.role, roleId: wanted.roleId }));
    if (old?.name !== wanted.name) {
      await this.audit.record(tx, {
        action: old === undefined ? 'grant.given' : 'grant.changed',
        ...filed(project, member),
        ...(old === undefined ? {} : { before: { role: old.name } }),
        after: { role: wanted.name },
      });
    }
    return grantOf(row, member.email, wanted.name);
  }

  async remove(tx: Transaction, actor: Actor, project: GrantPlace, userId: string): Promise<void> {
    await lockTeam(tx, project.teamId);
    const present = await managerOf(tx).findOneBy(ProjectGrantRow, { projectId: project.id, userId });
    if (!present) throw notFound('grant', userId);
    const old = await this.nameAndRightsOf(tx, present);
    assertMayGrant(actor, project, [old.rights]);
    const email = (await this.users.emailsOf([userId])).get(userId) ?? userId;
    await managerOf(tx).remove(present);
    await this.audit.record(tx, { action: 'grant.revoked', ...filed(project, { id: userId, email }), before: { role: old.name } });
  }

  private async nameAndRightsOf(
    tx: Transaction,
    row: ProjectGrantRow,
  ): Promise<{ name: string; rights: Parameters<typeof assertMayGrant>[2][number] }> {
    if (row.role !== 'custom') return { name: row.role, rights: row.role };
    const role = (await this.roles.byId([row.roleId], tx)).get(row.roleId ?? '');
    if (role === undefined) throw new TypeError(`The grant ${row.id} has a role that is not there`);
    return { name: role.name, rights: role };
  }
}

function filed(
  project: GrantPlace,
  member: { id: string; email: string },
): { teamId: string; projectId: string; subject: { type: string; id: string; name: string }; details: object & Record<string, unknown> } {
  return {
    teamId: project.teamId,
    projectId: project.id,
    subject: { type: 'grant', id: member.id, name: member.email },
    details: { project: project.name },
  };
}

function grantOf(row: ProjectGrantRow, email: string, roleName: string | undefined): Grant {
  const { projectId, userId, role, roleId, createdAt } = row;
  return { projectId, userId, email, role, roleId, roleName: roleName ?? role, since: createdAt };
}
