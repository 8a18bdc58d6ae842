import { StateMachine } from '../../../common/state-machine.js';

export const DEPLOYMENT_KINDS = ['deploy', 'start', 'stop', 'restart', 'delete'] as const;
export type DeploymentKind = (typeof DEPLOYMENT_KINDS)[number];

export const DEPLOYMENT_STATES = [
  'queued',
  'planned',
  /** Everything is fetched, built and initialised beside what runs. */
  'preparing',
  /** Components start in the order of their needs, each when what it needs is healthy. */
  'starting',
  /** All run; they must stay healthy for a while. */
  'verifying',
  /** The release becomes the project's. */
  'promoting',
  /** What is no longer wanted stops and goes. */
  'draining',
  /** Failed or cancelled: what ran before is put back. */
  'aborting',
  'succeeded',
  'rolled_back',
  'failed',
  'cancelled',
] as const;
export type DeploymentState = (typeof DEPLOYMENT_STATES)[number];

/** How a deployment moves; the last four states are final. */
export const deploymentMachine = new StateMachine<DeploymentState>('deployment', {
  queued: ['planned', 'aborting'],
  planned: ['preparing', 'starting', 'draining', 'aborting'],
  preparing: ['starting', 'promoting', 'aborting'],
  starting: ['verifying', 'aborting'],
  verifying: ['promoting', 'succeeded', 'aborting'],
  promoting: ['draining'],
  draining: ['succeeded', 'aborting'],
  aborting: ['rolled_back', 'failed', 'cancelled'],
  succeeded: [],
  rolled_back: [],
  failed: [],
  cancelled: [],
});

export type ActionKind = 'create' | 'update' | 'start' | 'restart' | 'stop' | 'remove';

export type StepName = 'prepare' | 'start' | 'verify' | 'drain' | 'stop' | 'remove' | 'restore';
export type StepState = 'pending' | 'running' | 'done' | 'failed';

/** One line of a deployment's progress. */
export interface Step {
  step: StepName;
  state: StepState;
  startedAt?: string;
  finishedAt?: string;
  message?: string;
}

/**
 * Where an action is: `pending` → `prepared` → `switched` → `healthy` → `done` for what starts,
 * `pending` → `leaving` → `done` for what ends, `reverting` → `reverted` after a failure.
 */
export type ActionPhase = 'pending' | 'prepared' | 'switched' | 'healthy' | 'leaving' | 'done' | 'reverting' | 'reverted';

/** What a deployment does to one component; kept with the deployment, so that another process can go on with it. */
export interface ComponentAction {
  component: string;
  action: ActionKind;
  reasons: string[];
  needs: string[];
  /** The allocation that was there before. */
  oldId?: string;
  /** The allocation that this deployment made. */
  newId?: string;
  /** What was wanted of the old one, to be put back after a failure. */
  oldDesired?: 'running' | 'stopped';
  phase: ActionPhase;
  /** Epoch milliseconds. */
  switchedAt?: number;
  revertedAt?: number;
  /** Restarts that the agent had counted before this deployment started the component. */
  baseRestarts?: number;
  steps: Step[];
}

/** Why a deployment failed: where, how, the last lines of its log, and the likely mend. */
export interface Failure {
  component?: string;
  step: string;
  exitCode?: number;
  signal?: string;
  message: string;
  logTail: string[];
  fix?: string;
}

/** The steps that an action of this kind goes through, in order. */
export function stepsOf(action: ActionKind): Step[] {
  const names: Record<ActionKind, StepName[]> = {
    create: ['prepare', 'start', 'verify'],
    update: ['prepare', 'start', 'verify', 'drain'],
    start: ['start', 'verify'],
    restart: ['start', 'verify'],
    stop: ['stop'],
    remove: ['remove'],
  };
  return names[action].map((step) => ({ step, state: 'pending' }));
}
