import type { AllocationState, ObservedAllocation } from '../../../link/messages.js';
import type { HealthState } from '../health/health-tracker.js';
import type { ProcessRecord } from '../supervisor/supervisor.types.js';
import type { AllocationMemory } from './allocation.types.js';

/** What is known of an allocation besides its memory. */
export interface LiveFacts {
  id: string;
  epoch: number;
  restartNonce: number;
  state: AllocationState;
  step: string | undefined;
  message: string | undefined;
  process: ProcessRecord | undefined;
  uid: number;
  health: HealthState;
  /** Last lines of a process that was stopped before it was ever well. */
  lastLines: string[] | undefined;
}

/** Puts together what the control plane is told. Values that are not known are left out. */
export function observationOf(live: LiveFacts, { failure, prepared, restarts }: AllocationMemory): ObservedAllocation {
  const { process, health } = live;
  return present({
    id: live.id,
    epoch: live.epoch,
    restartNonce: live.restartNonce,
    state: live.state,
    health: process ? health.health : 'unknown',
    healthMessage: process ? health.message : undefined,
    healthSince: process ? health.since : undefined,
    step: live.step ?? failure?.step,
    message: live.message ?? failure?.message,
    pid: process?.appPid,
    uid: process ? live.uid : undefined,
    startedAt: process?.startedAt,
    restarts,
    exit: failure?.exit,
    logTail: failure?.logTail ?? live.lastLines,
    resolvedVersion: prepared?.resolvedVersion,
    storeDigest: prepared?.storeDigest,
    commit: prepared?.commit,
  });
}

function present(values: { [K in keyof ObservedAllocation]-?: ObservedAllocation[K] | undefined }): ObservedAllocation {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as unknown as ObservedAllocation;
}
