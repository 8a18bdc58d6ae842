import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { type Action, asOwner, authorize, mayDo } from '../../auth/ability.js';
import type { Actor } from '../../auth/actor.js';
import { tokenRefusal } from '../../auth/token-refusal.js';
import { DomainError, type Fault, notFound } from '../../common/domain-error.js';
import type { Transaction } from '../../common/transaction.js';
import { TransactionRunner, managerOf, violates } from '../../database/transaction-runner.js';
import { assertIfMatch } from '../../http/etag.js';
import type { Page, PageQuery } from '../../http/pagination.js';
import { AuditLog } from '../audit/audit-log.js';
import { AllocationsService } from '../nodes/allocations.service.js';
import { PortsService } from '../ports/ports.service.js';
import { QuotaGuard } from '../quotas/quota-guard.js';
import { SecretsService } from '../secrets/secrets.service.js';
import { TeamsService } from '../teams/teams.service.js';
import { parseProjectSpec, specInvalid } from './domain/parse-spec.js';
import type { ProjectSpec } from './domain/project-spec.js';
import type { Activity, ProjectRecord } from './domain/project.js';
import { projectState } from './domain/project-state.js';
import { demandOf } from './domain/resources.js';
import { hideSecrets } from './domain/spec-secrets.js';
import { appliedEvent } from './project-audit.js';
import { Project } from './project.entity.js';
import { type ProjectFilter, type ProjectView, ProjectViews } from './project-views.js';

export type { ProjectFilter, ProjectView } from './project-views.js';
import { SpecChecker } from './spec-checker.js';

/** Projects and their specifications. Applying one deploys nothing. */
@Injectable()
export class ProjectsService {
  constructor(
    @InjectRepository(Project) private readonly projects: Repository<Project>,
    private readonly transactions: TransactionRunner,
    private readonly teams: TeamsService,
    private readonly ports: PortsService,
    private readonly secrets: SecretsService,
    private readonly allocations: AllocationsService,
    private readonly checker: SpecChecker,
    private readonly audit: AuditLog,
    private readonly quota: QuotaGuard,
    private readonly views: ProjectViews,
  ) {}

  /**
   * Creates or changes the project of that name. Throws `PROJECT_SPEC_INVALID` with every fault, in which case nothing is
   * created or touched, and `VERSION_MISMATCH` when `ifMatch` is not its present version.
   */
  async apply(
    actor: Actor,
    teamId: string,
    name: string,
    input: unknown,
    ifMatch: string | undefined,
  ): Promise<ProjectView & { created: boolean }> {
    const existing = await this.requireApplicable(actor, teamId, name);
    const spec = await this.parse(teamId, name, input, existing);
    const { project, created } = await this.transactions.run((tx) => this.save(tx, actor, teamId, name, spec, ifMatch)).catch(nameTaken);
    return { ...(await this.view(project)), created };
  }

  /** The projects that `actor` may read. */
  list(actor: Actor, filter: ProjectFilter, page: PageQuery): Promise<Page<ProjectView>> {
    return this.views.list(actor, filter, page);
  }

  async get(actor: Actor, projectId: string): Promise<ProjectView> {
    const view = await this.views.find(projectId);
    if (view === null) throw notFound('project', projectId);
    authorize(actor, 'read', 'Project', view.project, { what: 'project', id: projectId });
    return view;
  }

  /** The project, if `actor` may do `action` to it; for every other module that works on a project. */
  async require(actor: Actor, projectId: string, action: Action): Promise<ProjectRecord> {
    return authorize(actor, action, 'Project', await this.projects.findOneBy({ id: projectId }), { what: 'project', id: projectId });
  }

  /** Throws unless `actor` may do `action` to projects of the team: 404 when the team is not theirs to see. */
  async requireInTeam(actor: Actor, teamId: string, action: Action): Promise<void> {
    await this.teams.require(asOwner(actor), teamId);
    const any = { id: '', teamId, protected: false };
    if (mayDo(actor, action, 'Project', any)) return;
    if (actor.unscoped && mayDo({ ability: actor.unscoped }, action, 'Project', any)) throw tokenRefusal(action, 'Project');
    throw new DomainError('forbidden', 'ACTION_FORBIDDEN', `Your role does not allow you to ${action} projects of this team.`, {
      fix: 'Ask an owner or admin of the team for a role that may.',
    });
  }

  /** The project of that name, if `actor` may change it; null when there is none and they may create it. */
  async requireApplicable(actor: Actor, teamId: string, name: string): Promise<Project | null> {
    await this.teams.require(asOwner(actor), teamId);
    const existing = await this.projects.findOneBy({ teamId, name });
    if (existing === null) await this.requireInTeam(actor, teamId, 'create');
    else authorize(actor, 'update', 'Project', existing, { what: 'project', id: existing.id });
    return existing;
  }

  byName(teamId: string, name: string): Promise<ProjectRecord | null> {
    return this.projects.findOneBy({ teamId, name });
  }

  /** Whether a project is protected; one that is gone counts as protected. */
  async isProtected(projectId: string): Promise<boolean> {
    const found = await this.projects.findOne({ select: { id: true, protected: true }, where: { id: projectId } });
    return found?.protected ?? true;
  }

  async view(project: ProjectRecord): Promise<ProjectView> {
    return viewOf(project, await this.allocations.ofProjects([project.id]));
  }

  /** Takes the lock under which alone a project's deployments move; null when the project is gone. */
  lock(tx: Transaction, projectId: string): Promise<ProjectRecord | null> {
    return managerOf(tx).findOne(Project, { where: { id: projectId }, lock: { mode: 'pessimistic_write' } });
  }

  /** Notes that a deployment works on the project, or that none does. Holds the lock. */
  async setActive(tx: Transaction, projectId: string, active: { deploymentId: string; kind: Activity } | null): Promise<void> {
    await managerOf(tx).update(
      Project,
      { id: projectId },
      { activeDeploymentId: active?.deploymentId ?? null, activity: active?.kind ?? null },
    );
  }

  /** Notes how a deploy went, and which release runs now. Holds the lock. */
  async setRelease(tx: Transaction, projectId: string, change: { release?: number; deployFailed: boolean }): Promise<void> {
    await managerOf(tx).update(Project, { id: projectId }, change);
  }

  /** Protects the project, or ends its protection. Holds the lock. */
  async setProtected(tx: Transaction, projectId: string, isProtected: boolean): Promise<void> {
    await managerOf(tx).update(Project, { id: projectId }, { protected: isProtected });
  }

  /** Takes the project away with everything that belongs to it. Holds the lock. */
  async remove(tx: Transaction, projectId: string): Promise<void> {
    await managerOf(tx).delete(Project, { id: projectId });
  }

  private async parse(teamId: string, name: string, input: unknown, existing: Project | null): Promise<ProjectSpec> {
    const parsed = parseProjectSpec(input);
    if (!parsed.ok) throw specInvalid(parsed.faults);
    const faults = await this.checker.check(teamId, parsed.spec, existing);
    if (parsed.spec.name !== name) faults.unshift(nameMismatch(parsed.spec.name, name));
    if (faults.length > 0) throw specInvalid(faults);
    return parsed.spec;
  }

  private async save(
    tx: Transaction,
    actor: Actor,
    teamId: string,
    name: string,
    given: ProjectSpec,
    ifMatch: string | undefined,
  ): Promise<{ project: Project; created: boolean }> {
    const manager = managerOf(tx);
    const present = await manager.findOne(Project, { where: { teamId, name }, lock: { mode: 'pessimistic_write' } });
    assertIfMatch(ifMatch, present?.specVersion);
    if (present?.activity === 'delete') {
      throw new DomainError('conflict', 'PROJECT_BEING_DELETED', `The project "${name}" is being deleted.`, {
        fix: 'Wait until it is gone, then apply again.',
      });
    }
    const hidden = hideSecrets(given, this.ports);
    const project =
      present ??
      manager.create(Project, {
        teamId,
        name,
        spec: hidden.spec,
        specVersion: 0,
        release: null,
        deployFailed: false,
        protected: false,
        activeDeploymentId: null,
        activity: null,
      });
    // Whatever the project has become since it was looked at.
    if (present !== null) authorize(actor, 'update', 'Project', present, { what: 'project', id: present.id });
    if (hidden.given.length > 0) assertMayWriteSecrets(actor, project);
    if (present === null) await manager.save(project);
    await this.quota.reserve(tx, { teamId, projectId: project.id, demand: demandOf(hidden.spec, this.ports) }, { disk: false });
    const renewed = await this.storeSecrets(tx, project, hidden.given);
    if (present !== null && !renewed && JSON.stringify(sorted(present.spec)) === JSON.stringify(sorted(hidden.spec)))
      return { project, created: false };
    const before = present === null ? null : { specVersion: project.specVersion, spec: project.spec };
    project.spec = hidden.spec;
    project.specVersion += 1;
    const after = { specVersion: project.specVersion, spec: project.spec };
    const secrets = hidden.given.map((secret) => [`${secret.component}/${secret.name}`, this.audit.fingerprint(secret.value)] as const);
    await this.audit.record(tx, appliedEvent(project, before, after, Object.fromEntries(secrets)));
    return { project: await manager.save(project), created: present === null };
  }

  /** Whether a value is another one than before. */
  private async storeSecrets(
    tx: Transaction,
    { id: projectId, teamId }: ProjectRecord,
    given: { component: string; name: string; value: string }[],
  ): Promise<boolean> {
    if (given.length === 0) return false;
    const before = new Map(
      (await this.secrets.newest(projectId, tx)).map((secret) => [`${secret.component}/${secret.name}`, secret.version]),
    );
    let renewed = false;
    for (const secret of given) {
      const version = await this.secrets.put(tx, { teamId, projectId, component: secret.component, name: secret.name }, secret.value);
      renewed ||= before.get(`${secret.component}/${secret.name}`) !== version;
    }
    return renewed;
  }
}

/** A value in a specification is set like any other secret. Whoever may create the project sees it, though it is not there yet. */
function assertMayWriteSecrets(actor: Actor, project: Project): void {
  if (mayDo(actor, 'write-secrets', 'Project', project)) return;
  if (actor.unscoped && mayDo({ ability: actor.unscoped }, 'write-secrets', 'Project', project))
    throw tokenRefusal('write-secrets', 'Project');
  throw new DomainError('forbidden', 'ACTION_FORBIDDEN', 'Your role does not allow you to set secrets of this project.', {
    fix: 'Leave the secret values out of the specification; those that are set stay as they are.',
    details: { audit: { teamId: project.teamId, projectId: project.id } },
  });
}

function viewOf(project: ProjectRecord, allocations: Parameters<typeof projectState>[0]['allocations']): ProjectView {
  return {
    project,
    state: projectState({ activity: project.activity, release: project.release, deployFailed: project.deployFailed, allocations }),
  };
}

function nameMismatch(inSpec: string, inAddress: string): Fault {
  return {
    path: 'name',
    code: 'NAME_MISMATCH',
    message: `The specification is named "${inSpec}", the address says "${inAddress}".`,
    fix: 'Use the same name in both.',
  };
}

/** The same value with keys in order: the database does not keep the order of keys. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

function nameTaken(error: unknown): never {
  if (!violates(error, 'uq_projects_team_id_name')) throw error;
  throw new DomainError('conflict', 'PROJECT_NAME_TAKEN', 'Somebody created a project of this name at the same moment.', {
    fix: 'Read it, then apply again.',
    cause: error,
  });
}
