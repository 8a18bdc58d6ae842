import type { AllocationState, DesiredAllocation } from '../../../link/messages.js';

/** All that the next step of an allocation depends on. */
export interface Situation {
  desired: DesiredAllocation['desired'];
  /** The agent ends and stops everything, whatever is desired. */
  halting: boolean;
  /** Whether the wanted specification is prepared. */
  prepared: boolean;
  /** The wanted specification cannot be prepared, or its process does not stay up. */
  failed: boolean;
  running: boolean;
  /** Whether the process was started from the wanted specification and restart nonce. */
  current: boolean;
  /** Milliseconds that a restart has to wait. */
  backOff: number;
  /** Why a start has to wait for others. */
  blocked: string | undefined;
  removed: boolean;
}

export type Action =
  | { kind: 'prepare' | 'start' | 'stop' | 'remove' }
  /** Nothing to do until something changes, or `forMs` is over. */
  | { kind: 'wait'; state: AllocationState; forMs?: number; message?: string };

const wait = (state: AllocationState): Action => ({ kind: 'wait', state });

/** The one next step from what is to what is wanted. Pure. */
export function decide(situation: Situation): Action {
  const { desired, halting, running } = situation;
  if (desired === 'removed') return decideRemoved(situation);
  if (desired === 'stopped' || halting) return running ? { kind: 'stop' } : wait('stopped');
  if (desired === 'prepared') return running ? { kind: 'stop' } : decidePrepared(situation);
  return running ? decideRunning(situation) : decideStart(situation);
}

function decideRemoved({ running, removed, failed }: Situation): Action {
  if (running) return { kind: 'stop' };
  if (removed) return wait('removed');
  return failed ? wait('failed') : { kind: 'remove' };
}

function decidePrepared({ prepared, failed }: Situation): Action {
  if (prepared) return wait('prepared');
  return failed ? wait('failed') : { kind: 'prepare' };
}

/** A process whose specification changed runs on until its successor is prepared. */
function decideRunning({ current, prepared, failed }: Situation): Action {
  if (current) return wait('running');
  if (prepared) return { kind: 'stop' };
  return failed ? wait('running') : { kind: 'prepare' };
}

function decideStart({ prepared, failed, backOff, blocked }: Situation): Action {
  if (failed) return wait('failed');
  if (!prepared) return { kind: 'prepare' };
  if (backOff > 0) return { kind: 'wait', state: 'restarting', forMs: backOff };
  if (blocked !== undefined) return { kind: 'wait', state: 'starting', message: blocked };
  return { kind: 'start' };
}
