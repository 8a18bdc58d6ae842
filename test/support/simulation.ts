import type { ObservedAllocation } from '../../src/link/messages.js';
import { healthSchema } from '../../src/modules/ports/domain/manifest.js';
import { decide } from '../../src/modules/deployments/domain/decide.js';
import {
  stepsOf,
  type ActionKind,
  type ComponentAction,
  type DeploymentKind,
  type DeploymentState,
  type Failure,
} from '../../src/modules/deployments/domain/deployment.js';
import type { AllocationFacts, Decision, Desired, Situation } from '../../src/modules/deployments/domain/situation.js';

export interface SimulatedComponent {
  name: string;
  /** `none`: it is in the project and is not touched. */
  action: ActionKind | 'none';
  needs?: string[];
}

export interface SimulationOptions {
  kind: DeploymentKind;
  components: SimulatedComponent[];
  purge?: boolean;
  /** What was wanted of the old allocations. */
  desired?: Desired;
}

/** A project in memory whose observations a test makes up; writes are applied as persistence does. */
export class Simulation {
  wakeAt: number | undefined;
  promoted = false;
  constructor(readonly situation: Situation) {}

  get state(): DeploymentState {
    return this.situation.state;
  }

  get failure(): Failure | undefined {
    return this.situation.failure;
  }

  decide(): Decision {
    const decision = decide(this.situation);
    const { situation } = this;
    situation.state = decision.state;
    situation.stateSince = decision.stateSince;
    situation.actions = decision.actions;
    if (decision.failure !== undefined) situation.failure = decision.failure;
    for (const [id, write] of decision.writes) {
      const allocation = this.get(id);
      Object.assign(allocation, write, { epoch: allocation.epoch + 1 });
      if (write.desired !== undefined || write.restartNonce !== undefined) delete allocation.healthySince;
    }
    situation.allocations = situation.allocations.filter((allocation) => !decision.discard.includes(allocation.id));
    this.wakeAt = decision.wakeAt;
    this.promoted ||= decision.promote;
    return decision;
  }

  /** The node answers; unless said otherwise, it answers what is wanted now. */
  report(id: string, observed: Partial<ObservedAllocation>): void {
    const allocation = this.get(id);
    const full: ObservedAllocation = {
      id,
      epoch: allocation.epoch,
      restartNonce: allocation.restartNonce,
      state: 'pending',
      health: 'unknown',
      restarts: 0,
      ...observed,
    };
    allocation.observed = full;
    const well =
      full.epoch >= allocation.epoch &&
      full.restartNonce >= allocation.restartNonce &&
      full.state === 'running' &&
      full.health === 'healthy';
    if (well) allocation.healthySince ??= this.situation.now;
    else delete allocation.healthySince;
    this.decide();
  }

  prepareAll(): void {
    this.decide();
    for (const action of this.situation.actions) if (action.newId !== undefined) this.report(action.newId, { state: 'prepared' });
  }

  pass(milliseconds: number): void {
    this.situation.now += milliseconds;
    this.decide();
  }

  cancel(): void {
    this.situation.cancelRequested = true;
    this.decide();
  }

  get(id: string): AllocationFacts {
    const allocation = this.situation.allocations.find((candidate) => candidate.id === id);
    if (allocation === undefined) throw new Error(`no allocation ${id}`);
    return allocation;
  }

  desired(): Record<string, Desired> {
    return Object.fromEntries(this.situation.allocations.map((allocation) => [allocation.id, allocation.desired]));
  }
  epochOf(id: string): number {
    return this.get(id).epoch;
  }
  nonceOf(id: string): number {
    return this.get(id).restartNonce;
  }
  needsOf(id: string): Record<string, string> {
    return this.get(id).needs;
  }
}

function allocation(component: SimulatedComponent, id: string, desired: Desired, target: (need: string) => string): AllocationFacts {
  const needs = Object.fromEntries((component.needs ?? []).map((need) => [need, target(need)]));
  return { id, component: component.name, desired, epoch: 1, restartNonce: 0, needs, health: healthSchema.parse({}) };
}

/** A project whose old allocations run, and a deployment of it that has just been queued. */
export function simulate(options: SimulationOptions): Simulation {
  const replaced = (name: string): boolean =>
    options.components.some((other) => other.name === name && (other.action === 'update' || other.action === 'create'));
  const allocations: AllocationFacts[] = [];
  const actions: ComponentAction[] = [];
  for (const component of options.components) {
    const old = component.action !== 'create';
    const made = component.action === 'create' || component.action === 'update';
    if (old) allocations.push(allocation(component, `${component.name}-old`, options.desired ?? 'running', (need) => `${need}-old`));
    if (made)
      allocations.push(allocation(component, `${component.name}-new`, 'prepared', (need) => `${need}-${replaced(need) ? 'new' : 'old'}`));
    if (component.action === 'none') continue;
    actions.push({
      component: component.name,
      action: component.action,
      reasons: [],
      needs: component.needs ?? [],
      ...(old
        ? { oldId: `${component.name}-old`, oldDesired: options.desired === 'stopped' ? ('stopped' as const) : ('running' as const) }
        : {}),
      ...(made ? { newId: `${component.name}-new` } : {}),
      phase: 'pending',
      steps: stepsOf(component.action),
    });
  }
  return new Simulation({
    kind: options.kind,
    state: 'queued',
    stateSince: 0,
    cancelRequested: false,
    purge: options.purge ?? false,
    actions,
    allocations,
    now: 0,
  });
}
