import { type ProcessSample, TICKS_PER_SECOND } from './process-samples.js';

/** How far one running sandbox has been counted. Survives the agent in its journal. */
export interface MeterState {
  /** Names the sandbox; another one is counted from its own beginning. */
  sandbox: string;
  /** Processor time that has been counted, clock ticks. */
  ticks: number;
  /** When, by the machine's uptime, seconds. */
  uptime: number;
  /** Bytes at that moment. */
  memory: number;
}

/** A look at one running sandbox. */
export interface Reading {
  sandbox: string;
  /** When the sandbox began, by the machine's uptime, seconds. */
  startedAt: number;
  uptime: number;
  processes: readonly ProcessSample[];
}

export interface MeteredUsage {
  cpuSeconds: number;
  memoryByteSeconds: number;
  /** The time that they were used in. */
  seconds: number;
}

/** Own ticks of each process at the last look; not kept across agents. */
export type OwnTicks = ReadonlyMap<string, number>;

/**
 * What a sandbox used since it was last counted. Processor time is that of its processes and of all that ended in it: the first process of the
 * sandbox waits for whatever has no other parent, so the sum never falls but by children that nobody waits for (SIGCHLD ignored) and by those
 * that end while we look. Therefore the highest sum so far is kept, and what living processes used themselves counts in any case. Memory: the
 * mean of the two looks, for the time between them.
 */
export function advance(before: MeterState | undefined, lastOwn: OwnTicks, reading: Reading): { usage: MeteredUsage; after: MeterState } {
  const known = before?.sandbox === reading.sandbox ? before : undefined;
  const memory = reading.processes.reduce((sum, process) => sum + process.memory, 0);
  const total = reading.processes.reduce((sum, process) => sum + process.own + process.reaped, 0);
  const ownSince = reading.processes.reduce((sum, { key, own }) => sum + (own - (lastOwn.get(key) ?? own)), 0);
  const counted = known?.ticks ?? 0;
  const ticks = Math.max(0, total - counted, ownSince);
  const seconds = Math.max(0, reading.uptime - (known?.uptime ?? reading.startedAt));
  return {
    usage: {
      cpuSeconds: ticks / TICKS_PER_SECOND,
      memoryByteSeconds: ((memory + (known?.memory ?? memory)) / 2) * seconds,
      seconds,
    },
    after: { sandbox: reading.sandbox, ticks: counted + ticks, uptime: reading.uptime, memory },
  };
}

/** Own ticks of these processes, for the next look. */
export function ownTicks(processes: readonly ProcessSample[]): OwnTicks {
  return new Map(processes.map(({ key, own }) => [key, own]));
}

/** The days (UTC) that a span of time touches, each with its share of it. Milliseconds since the epoch; an empty span belongs to its day. */
export function daysOf(from: number, to: number): { day: string; share: number }[] {
  const DAY = 86_400_000;
  if (to <= from) return [{ day: dayOf(to), share: 1 }];
  const days: { day: string; share: number }[] = [];
  for (let at = from; at < to;) {
    const end = Math.min(to, (Math.floor(at / DAY) + 1) * DAY);
    days.push({ day: dayOf(at), share: (end - at) / (to - from) });
    at = end;
  }
  return days;
}

function dayOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}
