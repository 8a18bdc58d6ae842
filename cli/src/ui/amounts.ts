const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'];

/** Bytes as people read them: `1.5 GB`; units are powers of 1024. */
export function bytes(value: number): string {
  const power = value < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(value) / 10));
  return `${short(value / 1024 ** power)} ${UNITS[power] ?? ''}`;
}

/** A number with at most two digits behind the point. */
export function short(value: number): string {
  return String(Number(value.toFixed(value >= 100 ? 0 : 2)));
}

/** A bar of so many cells, full at 1. */
export function bar(share: number, cells = 12): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * cells);
  return '█'.repeat(full) + '░'.repeat(cells - full);
}
