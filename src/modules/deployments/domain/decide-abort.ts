import type { ComponentAction } from './deployment.js';
import { withLastLines } from './failure.js';
import type { Draft } from './situation.js';

/** How long what ran before may take to be healthy again, before the deployment ends without waiting for it. */
export const RESTORE_DEADLINE_MS = 2 * 60_000;

/** Turns round: whatever this deployment made is taken back at once; `stepAborting` puts back what was there. */
export function abort(draft: Draft): void {
  const { situation } = draft;
  draft.move('aborting');
  for (const action of situation.actions) {
    if (action.newId === undefined) continue;
    draft.repoint(action.component, action.newId, action.oldId);
    draft.write(action.newId, { desired: 'removed' });
  }
}

/** Puts the old back in the order of needs, and ends the deployment when that is done or has taken too long. */
export function stepAborting(draft: Draft): void {
  const { situation } = draft;
  completeFailure(draft);
  const late = draft.now >= situation.stateSince + RESTORE_DEADLINE_MS;
  const open = new Set(situation.actions.filter((action) => action.phase !== 'reverted').map((action) => action.component));
  for (const action of situation.actions) {
    const waits = !late && action.needs.some((need) => open.has(need));
    if (action.phase !== 'reverted' && !waits) revert(draft, action, late);
    if (action.phase === 'reverted') open.delete(action.component);
  }
  for (const action of situation.actions) {
    if (action.newId !== undefined && draft.fresh(action.newId)?.state === 'removed') draft.drop(action.newId);
  }
  const leftover = situation.actions.some((action) => draft.allocation(action.newId) !== undefined);
  if (open.size === 0 && (!leftover || late)) end(draft);
  else draft.wake(situation.stateSince + RESTORE_DEADLINE_MS);
}

function completeFailure(draft: Draft): void {
  const { actions, failure } = draft.situation;
  const action = actions.find(({ component }) => component === failure?.component);
  if (failure !== undefined) draft.situation.failure = withLastLines(failure, draft.fresh(action?.newId));
}

function end(draft: Draft): void {
  const { situation } = draft;
  if (situation.failure === undefined) draft.move('cancelled');
  else
    draft.move(
      situation.actions.some((action) => action.action === 'update' && action.revertedAt !== undefined) ? 'rolled_back' : 'failed',
    );
}

function revert(draft: Draft, action: ComponentAction, late: boolean): void {
  const touched = action.phase === 'switched' || action.phase === 'healthy';
  const healed = action.action === 'start' && action.oldDesired === 'running';
  if (action.phase !== 'reverting' && (draft.situation.kind !== 'deploy' || !touched || action.oldId === undefined || healed)) {
    action.phase = 'reverted';
    return;
  }
  if (action.phase !== 'reverting') putBack(draft, action);
  const old = draft.allocation(action.oldId);
  const observed = draft.fresh(action.oldId);
  const well = observed?.state === 'running' && observed.health === 'healthy';
  if (old === undefined || old.desired === 'stopped' || well) {
    draft.step(action, 'restore', 'done');
    action.phase = 'reverted';
  } else if (late || observed?.state === 'failed') {
    draft.step(
      action,
      'restore',
      'failed',
      `What ran before is wanted again, but is not healthy: ${observed?.message ?? observed?.healthMessage ?? 'no answer yet'}`,
    );
    action.phase = 'reverted';
  }
}

function putBack(draft: Draft, action: ComponentAction): void {
  const old = draft.allocation(action.oldId);
  action.phase = 'reverting';
  action.revertedAt = draft.now;
  draft.step(action, 'restore', 'running');
  if (old === undefined) return;
  const desired = action.oldDesired ?? 'running';
  const startsAgain = desired === 'running' && old.desired === 'running';
  draft.write(old.id, startsAgain ? { restartNonce: old.restartNonce + 1 } : { desired });
}
