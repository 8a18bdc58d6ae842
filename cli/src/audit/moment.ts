import { usageError } from '../cli-error.js';

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** A moment as people write it: `2h`, `7d` (ago), `2026-01-31`, or a whole time; as the API takes it. */
export function momentOf(text: string, now = Date.now()): string {
  const ago = /^(\d{1,5})([mhdw])$/.exec(text);
  if (ago) return new Date(now - Number(ago[1]) * (UNITS[ago[2] ?? ''] ?? 0)).toISOString();
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return new Date(time).toISOString();
  throw usageError(`"${text}" is not a moment.`, { fix: 'Use 30m, 12h, 7d, 2w, 2026-01-31 or 2026-01-31T09:30:00Z.' });
}
