/** Milliseconds. */
export interface RestartSettings {
  /** Restarts without a back-off, each after `firstDelay`. */
  quickRestarts: number;
  firstDelay: number;
  /** The back-off doubles up to this. */
  maxDelay: number;
  /** Gives up after so many restarts in a row. */
  maxRestarts: number;
  /** A run as long as this ends the row. */
  stableRun: number;
}

/** Two quick restarts, then 2 s, 4 s … 60 s; gives up after ten in a row, about five minutes. */
export const DEFAULT_RESTART_SETTINGS: RestartSettings = {
  quickRestarts: 2,
  firstDelay: 1_000,
  maxDelay: 60_000,
  maxRestarts: 10,
  stableRun: 600_000,
};

export type RestartDecision = { kind: 'restart'; delay: number } | { kind: 'give-up'; reason: string };

/**
 * Decides whether and when a process that ended by itself is started again. Its only state is the number of restarts in a row,
 * which the caller keeps across its own restarts.
 */
export class RestartPolicy {
  constructor(
    private inARow = 0,
    private readonly settings: RestartSettings = DEFAULT_RESTART_SETTINGS,
  ) {}

  get restartsInARow(): number {
    return this.inARow;
  }

  /** What to do after a run of `ranFor` milliseconds. */
  exited(ranFor: number): RestartDecision {
    const { maxRestarts, stableRun } = this.settings;
    if (ranFor >= stableRun) this.inARow = 0;
    if (this.inARow >= maxRestarts) {
      return { kind: 'give-up', reason: `It ended ${this.inARow + 1} times in a row, so it is not started again.` };
    }
    this.inARow += 1;
    return { kind: 'restart', delay: this.delay() };
  }

  /** Forgets the row, as when somebody asks for a start. */
  reset(): void {
    this.inARow = 0;
  }

  private delay(): number {
    const { quickRestarts, firstDelay, maxDelay } = this.settings;
    const doublings = Math.max(0, this.inARow - quickRestarts);
    return Math.min(maxDelay, firstDelay * 2 ** doublings);
  }
}
