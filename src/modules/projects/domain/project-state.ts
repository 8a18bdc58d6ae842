import type { AllocationState } from '../../../link/messages.js';

export const PROJECT_STATES = ['new', 'deploying', 'running', 'stopped', 'failed', 'deleting'] as const;
export type ProjectState = (typeof PROJECT_STATES)[number];

/** What the state of a project follows from. */
export interface ProjectStateFacts {
  activity: 'deploy' | 'start' | 'stop' | 'restart' | 'delete' | null;
  release: number | null;
  deployFailed: boolean;
  allocations: { desired: 'prepared' | 'running' | 'stopped' | 'removed'; observed: { state: AllocationState } | null }[];
}

/** The one word for how a project is. Stopped by somebody differs from failed by itself. */
export function projectState(facts: ProjectStateFacts): ProjectState {
  if (facts.activity === 'delete') return 'deleting';
  if (facts.activity !== null) return 'deploying';
  if (facts.release === null) return facts.deployFailed ? 'failed' : 'new';
  const live = facts.allocations.filter((allocation) => allocation.desired === 'running' || allocation.desired === 'stopped');
  if (live.length === 0 || live.every((allocation) => allocation.desired === 'stopped')) return 'stopped';
  return live.some((allocation) => allocation.desired === 'running' && allocation.observed?.state === 'failed') ? 'failed' : 'running';
}
