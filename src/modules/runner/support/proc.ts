import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** A process of the host, as far as its identity goes. */
export interface ProcessStat {
  pid: number;
  parent: number;
  /** `R`, `S`, `D`, `Z`, …; `Z` and `X` are dead. */
  state: string;
  /** Clock ticks since boot: with the pid, names one process for as long as the machine runs. */
  startTime: number;
}

/** What `/proc/<pid>/stat` says, or undefined when there is no such process. */
export function processStat(pid: number): ProcessStat | undefined {
  const text = readIfThere(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The command name, in parentheses, may hold blanks and parentheses itself.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { pid, state: fields[0] ?? 'X', parent: Number(fields[1]), startTime: Number(fields[19]) };
}

/** Whether that very process still runs; a zombie does not. */
export function isAlive(pid: number, startTime: number): boolean {
  const stat = processStat(pid);
  return stat?.startTime === startTime && stat.state !== 'Z' && stat.state !== 'X';
}

/** Pids of the children of a process. */
export function childrenOf(pid: number): number[] {
  const listed = readIfThere(`/proc/${pid}/task/${pid}/children`);
  if (listed !== undefined) return listed.split(' ').filter(Boolean).map(Number);
  return allPids().filter((candidate) => processStat(candidate)?.parent === pid);
}

/** All pids of the host. */
export function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Inode of the pid namespace of a process, or undefined when it is gone or not ours to see. */
export function pidNamespaceOf(pid: number): number | undefined {
  try {
    const match = /\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/ns/pid`));
    return match ? Number(match[1]) : undefined;
  } catch (error) {
    if (isGoneOrHidden(error)) return undefined;
    throw error;
  }
}

/** Changes with every boot of the machine, so that pids and start times of an earlier one are never mistaken for today's. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** Content of a file of `/proc`, or undefined when its process is gone or not ours to see. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isGoneOrHidden(error)) return undefined;
    throw error;
  }
}

export function isGoneOrHidden(error: unknown): boolean {
  return ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');
}
