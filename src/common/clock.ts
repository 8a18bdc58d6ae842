/** Source of time; tests inject a `ManualClock`. */
export interface Clock {
  /** Wall clock, for records that people read. */
  now(): Date;
  /** Milliseconds that never go backwards, for intervals and deadlines. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonic: () => performance.now(),
};

/** A clock that stands still until `advance` moves it. */
export class ManualClock implements Clock {
  private elapsed = 0;
  constructor(private readonly start = new Date('2026-01-01T00:00:00Z')) {}
  now(): Date {
    return new Date(this.start.getTime() + this.elapsed);
  }
  monotonic(): number {
    return this.elapsed;
  }
  advance(milliseconds: number): void {
    this.elapsed += milliseconds;
  }
}
