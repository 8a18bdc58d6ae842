import { Injectable } from '@nestjs/common';
import { DomainError } from '../../common/domain-error.js';
import { newId } from '../../common/ids.js';
import type { Transaction } from '../../common/transaction.js';
import { managerOf } from '../../database/transaction-runner.js';
import { AllocationsService } from '../nodes/allocations.service.js';
import type { AllocationRecord, NewAllocation } from '../nodes/domain/allocation.js';
import { LeasesService, LISTEN_ADDRESS } from '../nodes/leases.service.js';
import { PortsService } from '../ports/ports.service.js';
import { QuotaGuard } from '../quotas/quota-guard.js';
import { specInvalid } from '../projects/domain/parse-spec.js';
import { type ResolvedComponent, resolveComponents } from '../projects/domain/resolved-component.js';
import type { ProjectRecord } from '../projects/domain/project.js';
import { demandOf } from '../projects/domain/resources.js';
import { SpecChecker } from '../projects/spec-checker.js';
import type { ReadSecret } from '../secrets/providers/secret-provider.js';
import { SecretReferences } from '../secrets/providers/secret-references.js';
import { SecretsService } from '../secrets/secrets.service.js';
import { VariablesStore } from '../secrets/variables.store.js';
import { TeamsService, type Tenant } from '../teams/teams.service.js';
import { Release } from './deployment.entity.js';
import { type CurrentComponent, deployActions } from './domain/actions.js';
import type { ComponentAction } from './domain/deployment.js';
import { NodeSurvey, type Survey } from './node-survey.js';

/** What a deploy starts from: where it runs, whose it is, and what strangers hold there. */
export interface DeployGround {
  survey: Survey;
  tenant: Tenant;
  /** What the references named when it was asked, by reference. */
  elsewhere: ReadonlyMap<string, ReadSecret>;
}

export interface PreparedDeploy {
  release: number;
  actions: ComponentAction[];
}

/** Turns a project's specification into a release, new allocations with their network ports, and actions. */
@Injectable()
export class DeployPreparer {
  constructor(
    private readonly teams: TeamsService,
    private readonly ports: PortsService,
    private readonly checker: SpecChecker,
    private readonly secrets: SecretsService,
    private readonly variables: VariablesStore,
    private readonly references: SecretReferences,
    private readonly allocations: AllocationsService,
    private readonly leases: LeasesService,
    private readonly nodes: NodeSurvey,
    private readonly quota: QuotaGuard,
  ) {}

  /** What has to be asked before the transaction: no lock is held while a node or another keeper of secrets answers. */
  async ground(project: ProjectRecord): Promise<DeployGround> {
    const faults = await this.checker.check(project.teamId, project.spec, project);
    if (faults.length > 0) throw specInvalid(faults);
    const [survey, tenant] = await Promise.all([this.nodes.forDeploy(project), this.teams.tenantOf(project.teamId)]);
    return { survey, tenant, elsewhere: await this.readElsewhere(project, tenant) };
  }

  private async readElsewhere(project: ProjectRecord, { slug }: Tenant): Promise<Map<string, ReadSecret>> {
    const variables = await this.variables.current(project.id);
    const stored = { secretVersion: () => undefined, copyVersion: () => undefined, variables };
    const users = resolveComponents(project.spec, this.ports, stored).flatMap((component) =>
      Object.entries(component.variables ?? {}).flatMap(([name, { reference }]) =>
        reference === undefined ? [] : [{ reference, user: `${component.name}.${name}` }],
      ),
    );
    const byReference = Map.groupBy(users, ({ reference }) => reference);
    const asked = new Map([...byReference].map(([reference, found]) => [reference, found.map(({ user }) => user)]));
    return this.references.read({ teamId: project.teamId, projectId: project.id, slug }, asked);
  }

  /** Stores the release and the new allocations, or throws `QUOTA_EXCEEDED`. Holds the project's lock. */
  async prepare(tx: Transaction, project: ProjectRecord, ground: DeployGround, userId: string): Promise<PreparedDeploy> {
    const demand = demandOf(project.spec, this.ports);
    await this.quota.reserve(tx, { teamId: project.teamId, projectId: project.id, demand }, { disk: true });
    const wanted = await this.resolve(tx, project, ground);
    const current = (await this.allocations.ofProjects([project.id], tx)).map(currentOf);
    const release = await this.release(tx, project, wanted, userId);
    const actions = deployActions(wanted, current).map((action) => (isNew(action) ? { ...action, newId: newId() } : action));
    await this.allocate(tx, { project, ground, release, wanted, current, actions });
    return { release, actions };
  }

  private async resolve(tx: Transaction, project: ProjectRecord, ground: DeployGround): Promise<ResolvedComponent[]> {
    const versions = new Map(
      (await this.secrets.newest(project.id, tx)).map((secret) => [`${secret.component}/${secret.name}`, secret.version]),
    );
    for (const [component, spec] of Object.entries(project.spec.components)) {
      const generated = this.ports.find(spec.port)?.secretVars.filter((secret) => secret.generate) ?? [];
      for (const { name } of generated.filter((secret) => !versions.has(`${component}/${secret.name}`))) {
        const place = { teamId: project.teamId, projectId: project.id, component, name };
        versions.set(`${component}/${name}`, await this.secrets.ensureGenerated(tx, place));
      }
    }
    const copies = new Map<string, number>();
    const owner = { teamId: project.teamId, projectId: project.id };
    for (const [reference, read] of ground.elsewhere) copies.set(reference, await this.secrets.putCopy(tx, owner, reference, read));
    const wanted = resolveComponents(project.spec, this.ports, {
      secretVersion: (component, name) => versions.get(`${component}/${name}`),
      variables: await this.variables.current(project.id, tx),
      copyVersion: (reference) => copies.get(reference),
    });
    assertAllRead(wanted);
    return wanted;
  }

  /** The number of the release: the one that runs, when nothing in it is different. */
  private async release(tx: Transaction, project: ProjectRecord, components: ResolvedComponent[], userId: string): Promise<number> {
    const manager = managerOf(tx);
    const newest = await manager.findOne(Release, { where: { projectId: project.id }, order: { number: 'DESC' } });
    const number = project.release;
    const isNewest = number === null || number === newest?.number;
    const running = isNewest ? newest : await manager.findOneBy(Release, { projectId: project.id, number });
    if (number !== null && running !== null && canonical(running.components) === canonical(components)) return running.number;
    const release = manager.create(Release, {
      projectId: project.id,
      number: (newest?.number ?? 0) + 1,
      spec: project.spec,
      components,
      createdBy: userId,
    });
    await manager.insert(Release, release);
    return release.number;
  }

  private async allocate(tx: Transaction, plan: AllocationPlan): Promise<void> {
    const made = plan.actions.filter(isNew);
    if (made.length === 0) return;
    const ids = new Map(
      plan.current
        .filter((component) => component.desired !== 'removed')
        .map((component) => [component.resolved.name, component.allocationId]),
    );
    for (const action of made) ids.set(action.component, action.newId ?? '');
    const rows: NewAllocation[] = [];
    for (const action of made) {
      const resolved = plan.wanted.find((component) => component.name === action.component);
      if (resolved === undefined || action.newId === undefined) throw new TypeError(`nothing to make ${action.component} from`);
      rows.push(await this.allocation(tx, plan, resolved, { id: action.newId, ids }));
    }
    await this.allocations.add(tx, rows);
  }

  private async allocation(
    tx: Transaction,
    plan: AllocationPlan,
    resolved: ResolvedComponent,
    known: { id: string; ids: Map<string, string> },
  ): Promise<NewAllocation> {
    const { project, ground, release } = plan;
    const { nodeId, taken } = ground.survey;
    const listen: NewAllocation['listen'] = {};
    for (const endpoint of resolved.endpoints) {
      const fixed = resolved.listen[endpoint];
      const request = { nodeId, projectId: project.id, component: resolved.name, endpoint, ...(fixed === undefined ? {} : { fixed }) };
      listen[endpoint] = { address: LISTEN_ADDRESS, port: await this.leases.lease(tx, request, taken) };
    }
    const needs = Object.fromEntries(resolved.needs.flatMap((need) => (known.ids.has(need) ? [[need, known.ids.get(need) ?? '']] : [])));
    return {
      id: known.id,
      nodeId,
      projectId: project.id,
      teamId: project.teamId,
      tenant: { number: ground.tenant.number, slug: ground.tenant.slug },
      project: project.name,
      component: resolved.name,
      release,
      resolved,
      needs,
      listen,
    };
  }
}

/** A variable that was set while another keeper was asked may name what nobody has read. */
function assertAllRead(wanted: readonly ResolvedComponent[]): void {
  const unread = wanted.flatMap(({ variables = {} }) =>
    Object.entries(variables).flatMap(([name, { reference, copy }]) => (reference !== undefined && copy === undefined ? [name] : [])),
  );
  if (unread.length === 0) return;
  throw new DomainError('conflict', 'VARIABLES_CHANGED', `Somebody changed ${unread.join(', ')} at the same moment.`, {
    fix: 'Deploy again.',
  });
}

interface AllocationPlan {
  project: ProjectRecord;
  ground: DeployGround;
  release: number;
  wanted: ResolvedComponent[];
  current: CurrentComponent[];
  actions: ComponentAction[];
}

function isNew(action: ComponentAction): boolean {
  return action.action === 'create' || action.action === 'update';
}

/** An allocation as the planning of actions sees it. */
export function currentOf(row: AllocationRecord): CurrentComponent {
  return {
    allocationId: row.id,
    resolved: row.resolved,
    desired: row.desired,
    ...(row.observed === null ? {} : { observedState: row.observed.state }),
  };
}

/** The database does not keep the order of keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
