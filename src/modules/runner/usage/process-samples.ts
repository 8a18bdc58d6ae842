import { setImmediate as nextTurn } from 'node:timers/promises';
import { allPids, pidNamespaceOf, readIfThere } from '../support/proc.js';

/** The kernel's USER_HZ, the same on every Linux that Node.js runs on. */
export const TICKS_PER_SECOND = 100;
/** Processes that are looked at before others get their turn: about 2 ms. */
const AT_A_TIME = 64;

/** What one process has used at one moment. */
export interface ProcessSample {
  /** Pid and start time: names one process for as long as the machine runs. */
  key: string;
  /** Clock ticks of its own. */
  own: number;
  /** Clock ticks of its children that ended and that it waited for, theirs included. */
  reaped: number;
  /** Bytes: its proportional share of what it has in memory; what several processes share is counted once in their sum. */
  memory: number;
}

/**
 * What the processes of each allocation have used, by their pid namespaces; one pass over `/proc` for all. A process that ends meanwhile is
 * missing or complete, never another one's: its namespace is asked for before and after.
 */
export async function sampleProcesses(allocationByNamespace: ReadonlyMap<number, string>): Promise<Map<string, ProcessSample[]>> {
  const samples = new Map([...allocationByNamespace.values()].map((id): [string, ProcessSample[]] => [id, []]));
  if (samples.size === 0) return samples;
  for (const [index, pid] of allPids().entries()) {
    if (index % AT_A_TIME === AT_A_TIME - 1) await nextTurn();
    const namespace = pidNamespaceOf(pid);
    const allocation = namespace === undefined ? undefined : allocationByNamespace.get(namespace);
    if (allocation === undefined) continue;
    const sample = sampleOf(pid);
    if (sample !== undefined && pidNamespaceOf(pid) === namespace) samples.get(allocation)?.push(sample);
  }
  return samples;
}

function sampleOf(pid: number): ProcessSample | undefined {
  const text = readIfThere(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The command name, in parentheses, may hold blanks and parentheses itself.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = (field: number): number => Number(fields[field] ?? 0);
  return { key: `${pid}:${fields[19] ?? ''}`, own: ticks(11) + ticks(12), reaped: ticks(13) + ticks(14), memory: memoryOf(pid) };
}

function memoryOf(pid: number): number {
  const shared = /^Pss:\s+(\d+) kB$/m.exec(readIfThere(`/proc/${pid}/smaps_rollup`) ?? '');
  const resident = shared ?? /^VmRSS:\s+(\d+) kB$/m.exec(readIfThere(`/proc/${pid}/status`) ?? '');
  return Number(resident?.[1] ?? 0) * 1024;
}

/** Seconds since the machine's boot, suspended time included: the clock of processes' start times. */
export function uptime(): number {
  return Number((readIfThere('/proc/uptime') ?? '0').split(' ', 1)[0]);
}
