import { constants } from 'node:os';

/** How a process ended; both absent when nobody saw it. */
export interface ExitStatus {
  code?: number;
  signal?: string;
}

const SIGNALS = new Map<number, string>(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/**
 * Tells exit code and signal apart in a shell-style status, where a signal reads as 128 + its number.
 * A program that itself exits with such a code cannot be told from one that was killed.
 */
export function exitStatusOf(status: number): ExitStatus {
  const signal = status > 128 ? SIGNALS.get(status - 128) : undefined;
  return signal === undefined ? { code: status } : { signal };
}

/** Only the exit of what may know more. */
export function exitOf({ code, signal }: ExitStatus): ExitStatus {
  return { ...(code === undefined ? {} : { code }), ...(signal === undefined ? {} : { signal }) };
}

/** For people: "exit code 3", "SIGKILL", "an unknown status". */
export function describeExit(exit: ExitStatus): string {
  if (exit.signal !== undefined) return exit.signal;
  return exit.code === undefined ? 'an unknown status' : `exit code ${exit.code}`;
}
