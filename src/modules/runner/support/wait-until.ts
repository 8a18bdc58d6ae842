import { setTimeout as delay } from 'node:timers/promises';

export interface PollOptions {
  /** First pause, milliseconds; it grows by half each time. */
  firstMs: number;
  maxMs: number;
  deadlineMs: number;
}

/** Polls `probe` until it gives a value; undefined when the deadline passes. For what the kernel does not announce. */
export async function poll<T>(probe: () => T | undefined, { firstMs, maxMs, deadlineMs }: PollOptions): Promise<T | undefined> {
  const end = performance.now() + deadlineMs;
  for (let pause = firstMs; ; pause = Math.min(maxMs, pause * 1.5)) {
    const value = probe();
    if (value !== undefined) return value;
    if (performance.now() >= end) return undefined;
    await delay(pause);
  }
}
