/** A length of time in one or two units: `850 ms`, `12.3 s`, `2 m 5 s`, `3 h 12 m`, `4 d`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.max(0, Math.round(milliseconds))} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 60) return `${minutes} m ${Math.floor((milliseconds % 60_000) / 1_000)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} m` : `${Math.floor(hours / 24)} d`;
}

/** How long ago a time of the API was; `-` when there is none. */
export function age(iso: string | null | undefined, now = Date.now()): string {
  if (iso === undefined || iso === null) return '-';
  const elapsed = Math.max(0, now - Date.parse(iso));
  return elapsed < 60_000 ? `${Math.floor(elapsed / 1_000)} s` : duration(elapsed);
}

/** The time between two times of the API, as far as both are known. */
export function between(from: string | null | undefined, to: string | null | undefined): string {
  if (from === undefined || from === null || to === undefined || to === null) return '';
  return duration(Date.parse(to) - Date.parse(from));
}
