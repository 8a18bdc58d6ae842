/** One line as the log writer stored it. */
export interface StampedLine {
  /** ISO 8601 in UTC with nanoseconds, so that text order is time order and no two lines of a component are equal. */
  at: string;
  text: string;
}

/** `s6-log T` writes "2026-11-23 04:16:15.629085416  text"; its TZ is UTC. */
const STAMPED = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}\.\d{9}) {2}(.*)$/s;

/** Parses a stored line; a line without a stamp, as after a crash of the writer in mid-line, takes `fallbackAt`. */
export function parseStampedLine(line: string, fallbackAt: string): StampedLine {
  const match = STAMPED.exec(line);
  return match ? { at: `${match[1]}T${match[2]}Z`, text: match[3] ?? '' } : { at: fallbackAt, text: line };
}

/** Text order of time stamps, which is their time order. */
export function byTime(a: { at: string }, b: { at: string }): number {
  return a.at < b.at ? -1 : a.at > b.at ? 1 : 0;
}
