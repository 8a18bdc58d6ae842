import { createHash } from 'node:crypto';
import { allPids, processStat, readIfThere } from '../support/proc.js';
import { signalProcess } from '../supervisor/process-watch.js';

/** Names the one-off sandboxes of one agent's home in bubblewrap's own environment, which no tenant sees. */
export function sandboxMark(agentDirectory: string): string {
  return createHash('sha256').update(agentDirectory).digest('hex').slice(0, 16);
}

export const MARK_VARIABLE = 'HITHE_ONE_OFF';

/**
 * Ends what an agent that was killed left of its one-off sandboxes: bubblewrap's child asks to die with its parent only after its set-up,
 * so one that was in it waits for ever. To be called before this agent makes any, and by one agent alone. Returns how many there were.
 */
export function endOrphans(mark: string): number {
  const entry = `${MARK_VARIABLE}=${mark}`;
  const orphans = allPids()
    .filter((pid) => readIfThere(`/proc/${pid}/comm`)?.startsWith('bwrap') === true)
    .filter((pid) => readIfThere(`/proc/${pid}/environ`)?.split('\0').includes(entry) === true);
  for (const pid of orphans) {
    const stat = processStat(pid);
    if (stat) signalProcess(pid, stat.startTime, 'SIGKILL');
  }
  return orphans.length;
}
