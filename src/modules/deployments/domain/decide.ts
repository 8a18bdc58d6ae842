import type { ObservedAllocation } from '../../../link/messages.js';
import { abort, stepAborting } from './decide-abort.js';
import { stepDraining } from './decide-drain.js';
import { deploymentMachine, type ComponentAction, type DeploymentKind, type DeploymentState } from './deployment.js';
import { describeExit, failureOf } from './failure.js';
import { Draft, type AllocationFacts, type Decision, type Situation } from './situation.js';

/** How long everything may take to be fetched, built and initialised. */
export const PREPARE_DEADLINE_MS = 30 * 60_000;
/** No deployment needs more turns of the state machine than this without news from a node. */
const MOST_TURNS = 100;

/**
 * Decides what a deployment does next. Pure: the same situation gives the same decision. It goes on until it has to
 * wait for a node, a moment or nothing; every write belongs into one transaction.
 */
export function decide(given: Situation): Decision {
  const draft = new Draft(structuredClone(given));
  const { situation } = draft;
  for (let turn = 0; ; turn += 1) {
    const before = JSON.stringify([situation.state, situation.actions]);
    turnOnce(draft);
    if (JSON.stringify([situation.state, situation.actions]) === before) break;
    if (turn > MOST_TURNS) throw new Error(`the deployment does not settle in state ${situation.state}`);
  }
  const over = deploymentMachine.isFinal(situation.state);
  return {
    state: situation.state,
    stateSince: situation.stateSince,
    actions: situation.actions,
    writes: draft.writes,
    discard: draft.discard,
    promote: draft.promote,
    ...(situation.failure === undefined ? {} : { failure: situation.failure }),
    ...(over || draft.wakeAt === undefined ? {} : { wakeAt: draft.wakeAt }),
    log: draft.log,
  };
}

/** Whether a deployment can still turn back: not once its release is live, and not while it already does. */
export function isCancellable(kind: DeploymentKind, state: DeploymentState): boolean {
  if (state === 'draining') return kind === 'stop' || kind === 'delete';
  return deploymentMachine.can(state, 'aborting');
}

function turnOnce(draft: Draft): void {
  const { situation } = draft;
  draft.wakeAt = undefined;
  if (situation.cancelRequested && isCancellable(situation.kind, situation.state)) {
    abort(draft);
    return;
  }
  switch (situation.state) {
    case 'queued':
      draft.move('planned');
      return;
    case 'planned':
      stepPlanned(draft);
      return;
    case 'preparing':
      stepPreparing(draft);
      return;
    case 'starting':
      stepStarting(draft);
      return;
    case 'verifying':
      stepVerifying(draft);
      return;
    case 'promoting':
      draft.promote = true;
      draft.move('draining');
      return;
    case 'draining':
      stepDraining(draft);
      return;
    case 'aborting':
      stepAborting(draft);
      return;
    case 'succeeded':
    case 'rolled_back':
    case 'failed':
    case 'cancelled':
      return;
  }
}

function stepPlanned(draft: Draft): void {
  switch (draft.situation.kind) {
    case 'deploy':
      draft.move('preparing');
      return;
    case 'start':
    case 'restart':
      draft.move('starting');
      return;
    case 'stop':
    case 'delete':
      draft.move('draining');
      return;
  }
}

const starts = (action: ComponentAction): boolean => ['create', 'update', 'start', 'restart'].includes(action.action);
const targetOf = (action: ComponentAction): string | undefined => action.newId ?? action.oldId;

function stepPreparing(draft: Draft): void {
  const { actions, stateSince } = draft.situation;
  const deadline = stateSince + PREPARE_DEADLINE_MS;
  for (const action of actions) {
    if (action.newId === undefined || action.phase !== 'pending') continue;
    const observed = draft.fresh(action.newId);
    if (observed?.state === 'failed') {
      const step = observed.step ?? 'prepare';
      fail(draft, action, 'prepare', observed.message ?? `${action.component} could not be prepared: ${step} ${describeExit(observed)}.`);
      return;
    }
    if (observed !== undefined && ['prepared', 'stopped', 'running'].includes(observed.state)) {
      draft.step(action, 'prepare', 'done');
      action.phase = 'prepared';
    } else if (draft.now >= deadline) {
      fail(draft, action, 'prepare', `${action.component} was not prepared within ${PREPARE_DEADLINE_MS / 60_000} minutes.`);
      return;
    } else {
      draft.step(action, 'prepare', 'running', observed?.step);
    }
  }
  if (actions.some((action) => action.newId !== undefined && action.phase === 'pending')) draft.wake(deadline);
  else draft.move(actions.some(starts) ? 'starting' : 'promoting');
}

function stepStarting(draft: Draft): void {
  const starting = draft.situation.actions.filter(starts);
  const ready = new Set(starting.filter((action) => action.phase === 'healthy').map((action) => action.component));
  const awaited = new Set(starting.map((action) => action.component));
  for (const action of starting) {
    const waits = action.needs.some((need) => awaited.has(need) && !ready.has(need));
    if ((action.phase === 'pending' || action.phase === 'prepared') && !waits) switchOver(draft, action);
    if (action.phase !== 'switched' && action.phase !== 'healthy') continue;
    if (!watch(draft, action)) return;
  }
  if (starting.every((action) => action.phase === 'healthy')) draft.move('verifying');
}

/** The one write that ends the old and begins the new: never are two allocations of a component wanted running. */
function switchOver(draft: Draft, action: ComponentAction): void {
  const target = draft.allocation(targetOf(action));
  action.phase = 'switched';
  action.switchedAt = draft.now;
  action.baseRestarts = action.newId === undefined ? (target?.observed?.restarts ?? 0) : 0;
  draft.step(action, 'start', 'running');
  if (action.newId !== undefined) {
    draft.write(action.oldId, { desired: 'stopped' });
    draft.repoint(action.component, action.oldId, action.newId);
    draft.write(action.newId, { desired: 'running' });
    return;
  }
  if (target === undefined) return;
  draft.write(target.id, target.desired === 'running' ? { restartNonce: target.restartNonce + 1 } : { desired: 'running' });
}

/** Follows one started component; false when it made the deployment fail. */
function watch(draft: Draft, action: ComponentAction): boolean {
  const allocation = draft.allocation(targetOf(action));
  const observed = draft.fresh(targetOf(action));
  if (observed?.state === 'failed' || observed?.state === 'restarting' || (observed?.restarts ?? 0) > (action.baseRestarts ?? 0)) {
    fail(draft, action, 'start', endMessage(action, observed));
    return false;
  }
  const up = observed?.state === 'running';
  if (up) draft.step(action, 'start', 'done');
  const healthy = up && observed.health === 'healthy';
  if (up && action.phase === 'switched') draft.step(action, 'verify', 'running', observed.healthMessage);
  if (healthy) {
    action.phase = 'healthy';
    return true;
  }
  const deadline = healthDeadline(action, allocation);
  if (draft.now >= deadline) {
    fail(draft, action, up ? 'verify' : 'start', lateMessage(action, allocation, up, observed?.healthMessage));
    return false;
  }
  draft.wake(deadline);
  return true;
}

/** Without an exit there was no process: what the node says is why. */
function endMessage({ component }: ComponentAction, observed: ObservedAllocation | undefined): string {
  if (observed?.exit === undefined && observed?.message !== undefined) return `${component} cannot be started: ${observed.message}`;
  return `${component} ${observed === undefined ? 'ended' : describeExit(observed)} after it was started.`;
}

function healthDeadline(action: ComponentAction, allocation: AllocationFacts | undefined): number {
  return (action.switchedAt ?? 0) + ((allocation?.health.deadline ?? 0) + (allocation?.health.minimumHealthy ?? 0)) * 1000;
}

function lateMessage(
  action: ComponentAction,
  allocation: AllocationFacts | undefined,
  up: boolean,
  healthMessage: string | undefined,
): string {
  const seconds = allocation?.health.deadline ?? 0;
  if (!up) return `${action.component} did not start within ${seconds} s.`;
  return `${action.component} runs but was not healthy within ${seconds} s${healthMessage === undefined ? '' : `: ${healthMessage}`}.`;
}

function stepVerifying(draft: Draft): void {
  const starting = draft.situation.actions.filter(starts);
  let settled = true;
  for (const action of starting) {
    if (!watch(draft, action)) return;
    const allocation = draft.allocation(targetOf(action));
    const since = allocation?.healthySince;
    const until = since === undefined ? undefined : since + (allocation?.health.minimumHealthy ?? 0) * 1000;
    const observed = draft.fresh(targetOf(action));
    const healthy = observed?.state === 'running' && observed.health === 'healthy';
    if (healthy && until !== undefined && draft.now >= until) {
      draft.step(action, 'verify', 'done');
      continue;
    }
    settled = false;
    const deadline = draft.situation.stateSince + (allocation?.health.deadline ?? 0) * 1000;
    if (draft.now >= deadline) {
      fail(
        draft,
        action,
        'verify',
        `${action.component} does not stay healthy${observed?.healthMessage === undefined ? '' : `: ${observed.healthMessage}`}.`,
      );
      return;
    }
    draft.wake(healthy && until !== undefined ? Math.min(until, deadline) : deadline);
  }
  if (!settled) return;
  for (const action of starting) if (action.action !== 'update') action.phase = 'done';
  draft.move(draft.situation.kind === 'deploy' ? 'promoting' : 'succeeded');
}

function fail(draft: Draft, action: ComponentAction, step: 'prepare' | 'start' | 'verify', message: string): void {
  draft.step(action, step, 'failed', message);
  draft.situation.failure = failureOf(action, step, draft.fresh(targetOf(action)), message);
  abort(draft);
}
