import { DomainError } from '../../../common/domain-error.js';

/** What usage is summed up by. `team` is for the whole platform only. */
export const USAGE_GROUPS = ['day', 'project', 'component', 'team'] as const;
export type UsageGroup = (typeof USAGE_GROUPS)[number];

/** First and last day, both included, as `YYYY-MM-DD` in UTC. */
export interface UsageSpan {
  from: string;
  to: string;
}

const DAY = 86_400_000;
const LONGEST_DAYS = 366;

/** The span that was asked for; what is absent is the first of this month and today. Throws `SPAN_INVALID`. */
export function spanOf(from: string | undefined, to: string | undefined, now: Date): UsageSpan {
  const today = now.toISOString().slice(0, 10);
  const span = { from: from ?? `${(to ?? today).slice(0, 8)}01`, to: to ?? (from !== undefined && from > today ? from : today) };
  const days = (Date.parse(span.to) - Date.parse(span.from)) / DAY + 1;
  if (days >= 1 && days <= LONGEST_DAYS) return span;
  const message =
    days < 1
      ? `${span.from} is after ${span.to}.`
      : `From ${span.from} to ${span.to} are ${days} days; ${LONGEST_DAYS} at most can be asked for.`;
  throw new DomainError('invalid', 'SPAN_INVALID', message, {
    faults: [{ path: 'from', code: 'SPAN_INVALID', message, fix: 'Ask for a shorter span.' }],
    fix: 'Ask for a span of one day to a year, from its first to its last day.',
  });
}

/** One line of usage, in the units of bills. */
export interface UsageFigures {
  cpuSeconds: number;
  /** Gigabytes (2³⁰ bytes) times hours. */
  memoryGbHours: number;
  storedGbHours: number;
  /** Most bytes that were stored at a time, summed up over components, taken over days. */
  storedMostBytes: number;
}
