import { Injectable } from '@nestjs/common';
import type { Actor } from '../../auth/actor.js';
import type { Fault } from '../../common/domain-error.js';
import { AllocationsService } from '../nodes/allocations.service.js';
import { LeasesService } from '../nodes/leases.service.js';
import { PortsService } from '../ports/ports.service.js';
import { QuotaGuard } from '../quotas/quota-guard.js';
import { parseProjectSpec } from '../projects/domain/parse-spec.js';
import type { ProjectSpec } from '../projects/domain/project-spec.js';
import { type ResolvedComponent, resolveComponents } from '../projects/domain/resolved-component.js';
import type { ProjectRecord } from '../projects/domain/project.js';
import { demandOf } from '../projects/domain/resources.js';
import { ProjectsService } from '../projects/projects.service.js';
import { SpecChecker } from '../projects/spec-checker.js';
import { SecretsService } from '../secrets/secrets.service.js';
import { VariablesStore } from '../secrets/variables.store.js';
import { currentOf } from './deploy-preparer.js';
import { buildPlan, type LeaseHolder, type Plan, type PlanCheck } from './domain/plan.js';
import { NodeSurvey } from './node-survey.js';

/** Says what a deploy would do. Stores nothing but the question to the node. */
@Injectable()
export class PlansService {
  constructor(
    private readonly projects: ProjectsService,
    private readonly checker: SpecChecker,
    private readonly ports: PortsService,
    private readonly secrets: SecretsService,
    private readonly variables: VariablesStore,
    private readonly allocations: AllocationsService,
    private readonly leases: LeasesService,
    private readonly survey: NodeSurvey,
    private readonly quota: QuotaGuard,
  ) {}

  async plan(actor: Actor, teamId: string, input: unknown): Promise<Plan> {
    const name = nameOf(input);
    const project = await this.projects.requireApplicable(actor, teamId, name);
    const parsed = parseProjectSpec(input);
    if (!parsed.ok) return faulty(name, parsed.faults);
    const faults = await this.checker.check(teamId, parsed.spec, project);
    if (faults.length > 0) return faulty(name, faults);
    return this.planValid(teamId, parsed.spec, project);
  }

  private async planValid(teamId: string, spec: ProjectSpec, project: ProjectRecord | null): Promise<Plan> {
    const wanted = await this.resolve(spec, project);
    const closures = [...new Map(wanted.map(({ port, version }) => [`${port} ${version}`, { port, version }])).values()];
    const [current, answer, quota] = await Promise.all([
      this.current(project),
      this.survey.forPlan(project?.id, closures),
      this.quotaChecks(teamId, spec, project),
    ]);
    return buildPlan({
      project: spec.name,
      faults: [],
      wanted,
      current,
      stateful: (port) => this.ports.find(port)?.hithe.stateful ?? false,
      quota,
      leases: answer.nodeId === undefined ? [] : await this.holders(answer.nodeId, project),
      ...(answer.facts === undefined ? {} : { facts: answer.facts }),
      ...(answer.missing === undefined ? {} : { factsMissing: answer.missing }),
    });
  }

  private async resolve(spec: ProjectSpec, project: ProjectRecord | null): Promise<ResolvedComponent[]> {
    if (project === null) {
      return resolveComponents(spec, this.ports, { secretVersion: () => undefined, variables: [], copyVersion: () => undefined });
    }
    const [stored, variables, copies] = await Promise.all([
      this.secrets.newest(project.id),
      this.variables.current(project.id),
      this.secrets.newestCopies(project.id),
    ]);
    return resolveComponents(spec, this.ports, {
      secretVersion: (component, name) => stored.find((secret) => secret.component === component && secret.name === name)?.version,
      variables,
      // Another keeper is asked by the deploy itself: what it had last time stands for it here.
      copyVersion: (reference) => copies.get(reference)?.version,
    });
  }

  /** Nothing for a team without limits. */
  private async quotaChecks(teamId: string, spec: ProjectSpec, project: ProjectRecord | null): Promise<PlanCheck[]> {
    const { team, limited, violations } = await this.quota.check({
      teamId,
      projectId: project?.id ?? null,
      demand: demandOf(spec, this.ports),
    });
    if (!limited) return [];
    if (violations.length === 0) return [{ check: 'quota', status: 'ok', message: `It is within the quota of team ${team}.` }];
    return violations.map(({ message, fix }) => ({ check: 'quota', status: 'error', message, fix }));
  }

  private async current(project: ProjectRecord | null): Promise<ReturnType<typeof currentOf>[]> {
    return project === null ? [] : (await this.allocations.ofProjects([project.id])).map(currentOf);
  }

  private async holders(nodeId: string, project: ProjectRecord | null): Promise<LeaseHolder[]> {
    const leases = await this.leases.ofNode(nodeId);
    return leases.map((lease) => ({
      address: lease.address,
      port: lease.port,
      own: lease.projectId === project?.id,
      component: lease.component,
    }));
  }
}

function faulty(project: string, faults: Fault[]): Plan {
  return buildPlan({ project, faults, wanted: [], current: [], stateful: () => false, leases: [] });
}

function nameOf(input: unknown): string {
  return typeof input === 'object' && input !== null && 'name' in input && typeof input.name === 'string' ? input.name : '';
}
