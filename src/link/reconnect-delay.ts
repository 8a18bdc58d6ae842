/** Milliseconds. */
const FIRST = 200;
const LONGEST = 15_000;

/**
 * Pauses between attempts to connect: they double, and each is drawn from its upper half, so that many agents do not come back at once.
 * `random` gives 0 to 1.
 */
export class ReconnectDelay {
  private attempts = 0;

  constructor(private readonly random: () => number = Math.random) {}

  next(): number {
    const ceiling = Math.min(LONGEST, FIRST * 2 ** this.attempts);
    this.attempts += 1;
    return Math.round(ceiling * (0.5 + this.random() / 2));
  }

  /** A connection worked: the next break begins anew. */
  reset(): void {
    this.attempts = 0;
  }
}
