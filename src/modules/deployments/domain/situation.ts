import type { ObservedAllocation } from '../../../link/messages.js';
import type { HealthPolicy } from '../../ports/domain/manifest.js';
import type { ComponentAction, DeploymentKind, DeploymentState, Failure, StepName, StepState } from './deployment.js';
import { deploymentMachine } from './deployment.js';

export type Desired = 'prepared' | 'running' | 'stopped' | 'removed';

/** An allocation as the orchestrator sees it: what is wanted, and what its node last said. */
export interface AllocationFacts {
  id: string;
  component: string;
  desired: Desired;
  epoch: number;
  restartNonce: number;
  needs: Record<string, string>;
  health: HealthPolicy;
  observed?: ObservedAllocation;
  /** Since when it is healthy without a break, epoch milliseconds by the control plane's clock. */
  healthySince?: number;
}

/** All that a decision depends on. */
export interface Situation {
  kind: DeploymentKind;
  state: DeploymentState;
  /** When the deployment entered this state, epoch milliseconds. */
  stateSince: number;
  cancelRequested: boolean;
  purge: boolean;
  failure?: Failure;
  /** In the order in which components start. */
  actions: ComponentAction[];
  /** Every allocation of the project. */
  allocations: AllocationFacts[];
  /** Epoch milliseconds. */
  now: number;
}

/** What shall be written for one allocation; its epoch grows by one. */
export interface AllocationWrite {
  desired?: Desired;
  purge?: boolean;
  restartNonce?: number;
  needs?: Record<string, string>;
}

/** What follows from a situation. */
export interface Decision {
  state: DeploymentState;
  stateSince: number;
  actions: ComponentAction[];
  writes: Map<string, AllocationWrite>;
  /** Allocations whose end is confirmed: their rows can go. */
  discard: string[];
  /** The release of this deployment is now the project's. */
  promote: boolean;
  failure?: Failure;
  /** When to look again even if nothing is heard, epoch milliseconds; absent when the deployment is over. */
  wakeAt?: number;
  /** Lines for the deployment's log. */
  log: string[];
}

/** A situation in the making: helpers write to it, and remember what has to be stored. */
export class Draft {
  readonly writes = new Map<string, AllocationWrite>();
  readonly discard: string[] = [];
  readonly log: string[] = [];
  promote = false;
  wakeAt: number | undefined;
  private readonly byId: Map<string, AllocationFacts>;

  constructor(readonly situation: Situation) {
    this.byId = new Map(situation.allocations.map((allocation) => [allocation.id, allocation]));
  }

  get now(): number {
    return this.situation.now;
  }

  allocation(id: string | undefined): AllocationFacts | undefined {
    return id === undefined ? undefined : this.byId.get(id);
  }

  all(): AllocationFacts[] {
    return [...this.byId.values()];
  }

  /** What the node says about the allocation as it is wanted now; undefined while it has not answered. */
  fresh(id: string | undefined): ObservedAllocation | undefined {
    const allocation = this.allocation(id);
    const observed = allocation?.observed;
    if (allocation === undefined || observed === undefined || observed.epoch < allocation.epoch) return undefined;
    return observed.restartNonce < allocation.restartNonce ? undefined : observed;
  }

  write(id: string | undefined, change: AllocationWrite): void {
    const allocation = this.allocation(id);
    if (allocation === undefined) return;
    if (!this.writes.has(allocation.id)) allocation.epoch += 1;
    this.writes.set(allocation.id, { ...this.writes.get(allocation.id), ...change });
    Object.assign(allocation, change);
    if (change.desired !== undefined || change.restartNonce !== undefined) delete allocation.healthySince;
  }

  drop(id: string): void {
    this.byId.delete(id);
    this.writes.delete(id);
    this.discard.push(id);
  }

  move(to: DeploymentState): void {
    this.situation.state = deploymentMachine.move(this.situation.state, to);
    this.situation.stateSince = this.now;
  }

  step(action: ComponentAction, name: StepName, state: StepState, message?: string): void {
    let step = action.steps.find((candidate) => candidate.step === name);
    if (step === undefined) {
      step = { step: name, state: 'pending' };
      action.steps.push(step);
    }
    const at = new Date(this.now).toISOString();
    if (step.state === 'pending' && state !== 'pending') step.startedAt = at;
    if (step.state !== state && (state === 'done' || state === 'failed')) step.finishedAt = at;
    step.state = state;
    if (message === undefined) delete step.message;
    else step.message = message;
  }

  /** Asks to be looked at again at this moment, if none is asked for earlier. */
  wake(at: number): void {
    if (this.wakeAt === undefined || at < this.wakeAt) this.wakeAt = at;
  }

  /** Dependants that are wanted read from `to` instead of `from`; a running process is not touched by that. */
  repoint(component: string, from: string | undefined, to: string | undefined): void {
    if (from === undefined || to === undefined) return;
    for (const allocation of this.byId.values()) {
      if (allocation.desired === 'removed' || allocation.needs[component] !== from) continue;
      this.write(allocation.id, { needs: { ...allocation.needs, [component]: to } });
    }
  }
}
