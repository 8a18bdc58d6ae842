/** From how many times on a text is worth a prepared statement on each connection. */
const HOT_FROM = 20;
/** Each costs some ten kilobytes in every connection's server process. */
const MOST_PREPARED = 100;
const MOST_COUNTED = 2_000;

/**
 * Knows which statements a process asks all the time, and names them: those are parsed and planned once on each connection (under
 * row-level security the plan costs ten times the execution: 1.0 ms beside 0.1 ms measured for the one that loads an actor).
 */
export class HotStatements {
  private readonly counts = new Map<string, number>();
  private readonly names = new Map<string, string>();

  /** The name to prepare `text` under; undefined as long as it is not worth it. */
  nameOf(text: string): string | undefined {
    const known = this.names.get(text);
    if (known !== undefined) return known;
    const count = (this.counts.get(text) ?? 0) + 1;
    if (count < HOT_FROM || this.names.size >= MOST_PREPARED || !isPreparable(text)) {
      if (this.counts.size >= MOST_COUNTED) this.counts.clear();
      this.counts.set(text, count);
      return undefined;
    }
    this.counts.delete(text);
    const name = `hithe_${String(this.names.size)}`;
    this.names.set(text, name);
    return name;
  }
}

/** A star means other columns after a migration, which a prepared statement must not have. */
function isPreparable(text: string): boolean {
  return /^\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH)\b/i.test(text) && !text.includes('*');
}
