import { Injectable } from '@nestjs/common';
import type { Actor, ProjectRole } from '../../auth/actor.js';
import { notFound } from '../../common/domain-error.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import type { Page, PageQuery } from '../../http/pagination.js';
import { AuditLog } from '../audit/audit-log.js';
import type { ProjectRecord } from '../projects/domain/project.js';
import { ProjectsService } from '../projects/projects.service.js';
import { type Grant, ProjectGrants } from '../teams/grants/project-grants.js';
import type { RoleChoice } from '../teams/roles/custom-roles.service.js';
import { TeamsService } from '../teams/teams.service.js';

/** Roles on single projects, beside the roles in their team; and the protection that makes them needed. */
@Injectable()
export class GrantsService {
  constructor(
    private readonly projects: ProjectsService,
    private readonly teams: TeamsService,
    private readonly grants: ProjectGrants,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
  ) {}

  /** Everybody who sees the project sees who has a role on it. */
  async list(actor: Actor, projectId: string, page: PageQuery): Promise<Page<Grant>> {
    const project = await this.projects.require(actor, projectId, 'read');
    await this.teams.require(actor, project.teamId);
    return this.grants.page(projectId, page);
  }

  /** Gives a member of the project's team a role on it, or changes that. Throws `NOT_A_MEMBER`, `ROLE_TOO_HIGH`. */
  async put(
    actor: Actor,
    projectId: string,
    to: { userId?: string | undefined; email?: string | undefined },
    choice: RoleChoice<ProjectRole>,
  ): Promise<Grant> {
    const project = await this.requireManageable(actor, projectId);
    const member = await this.grants.memberOf(project.teamId, to);
    return this.transactions.run((tx) => this.grants.put(tx, actor, project, member, choice));
  }

  /** Takes the role on the project away; the one in the team stays. */
  async remove(actor: Actor, projectId: string, userId: string): Promise<void> {
    const project = await this.requireManageable(actor, projectId);
    await this.transactions.run((tx) => this.grants.remove(tx, actor, project, userId));
  }

  /** Protects a project, or ends its protection. */
  async protect(actor: Actor, projectId: string, isProtected: boolean): Promise<ProjectRecord> {
    await this.projects.require(actor, projectId, 'protect');
    return this.transactions.run(async (tx) => {
      const project = await this.projects.lock(tx, projectId);
      if (project === null) throw notFound('project', projectId);
      if (project.protected === isProtected) return project;
      await this.projects.setProtected(tx, projectId, isProtected);
      await this.audit.record(tx, {
        action: isProtected ? 'project.protected' : 'project.unprotected',
        teamId: project.teamId,
        projectId,
        subject: { type: 'project', id: projectId, name: project.name },
        before: { protected: project.protected },
        after: { protected: isProtected },
      });
      return { ...project, protected: isProtected };
    });
  }

  private async requireManageable(actor: Actor, projectId: string): Promise<ProjectRecord> {
    const project = await this.projects.require(actor, projectId, 'read');
    await this.teams.require(actor, project.teamId, 'manage-members');
    return project;
  }
}
