import { abort } from './decide-abort.js';
import type { ComponentAction } from './deployment.js';
import type { Draft } from './situation.js';

/** How long a node may take to confirm that something has ended. */
export const DRAIN_DEADLINE_MS = 5 * 60_000;

/** Ends what is no longer wanted, dependants first; a successful deployment never fails here, for the new is live. */
export function stepDraining(draft: Draft): void {
  const { situation } = draft;
  const deadline = situation.stateSince + DRAIN_DEADLINE_MS;
  const leaving = situation.actions.filter((action) => action.action === 'stop' || action.action === 'remove');
  for (const action of situation.actions) if (action.action === 'update') drainOld(draft, action);
  for (const action of [...leaving].reverse()) leave(draft, action, leaving);
  const open = situation.actions.filter((action) => action.phase !== 'done');
  if (open.length === 0) {
    draft.move('succeeded');
    return;
  }
  if (draft.now < deadline) {
    draft.wake(deadline);
    return;
  }
  late(draft, open);
}

function late(draft: Draft, open: ComponentAction[]): void {
  const names = open.map((action) => action.component).join(', ');
  const message = `The node did not confirm within ${DRAIN_DEADLINE_MS / 60_000} minutes that ${names} ended.`;
  if (draft.situation.kind === 'deploy') {
    draft.log.push(`${message} It will be done when the node answers.`);
    for (const action of open) action.phase = 'done';
    draft.move('succeeded');
    return;
  }
  const [first] = open;
  draft.situation.failure = {
    ...(first === undefined ? {} : { component: first.component }),
    step: draft.situation.kind === 'delete' ? 'remove' : 'stop',
    message,
    logTail: [],
    fix: 'Check that the agent of the node runs (`hithe health`), then repeat the command.',
  };
  for (const action of open) draft.step(action, action.action === 'remove' ? 'remove' : 'stop', 'failed', message);
  abort(draft);
}

function drainOld(draft: Draft, action: ComponentAction): void {
  if (action.phase === 'done') return;
  const old = draft.allocation(action.oldId);
  if (old === undefined) {
    draft.step(action, 'drain', 'done');
    action.phase = 'done';
    return;
  }
  if (old.desired !== 'removed') {
    draft.write(old.id, { desired: 'removed' });
    draft.step(action, 'drain', 'running');
  } else if (draft.fresh(old.id)?.state === 'removed') {
    draft.drop(old.id);
    draft.step(action, 'drain', 'done');
    action.phase = 'done';
  }
}

function leave(draft: Draft, action: ComponentAction, leaving: ComponentAction[]): void {
  if (action.phase === 'done') return;
  const step = action.action === 'remove' ? 'remove' : 'stop';
  const desired = action.action === 'remove' ? 'removed' : 'stopped';
  const allocation = draft.allocation(action.oldId);
  if (allocation === undefined) {
    draft.step(action, step, 'done');
    action.phase = 'done';
    return;
  }
  if (action.phase === 'pending') {
    const dependants = leaving.filter((other) => other.needs.includes(action.component));
    if (dependants.some((other) => other.phase !== 'done')) return;
    draft.write(allocation.id, desired === 'removed' ? { desired, purge: draft.situation.purge } : { desired });
    draft.step(action, step, 'running');
    action.phase = 'leaving';
  }
  const state = draft.fresh(allocation.id)?.state;
  if (desired === 'removed' ? state === 'removed' : state !== undefined && ['stopped', 'prepared', 'removed', 'failed'].includes(state)) {
    if (desired === 'removed') draft.drop(allocation.id);
    draft.step(action, step, 'done');
    action.phase = 'done';
  }
}
