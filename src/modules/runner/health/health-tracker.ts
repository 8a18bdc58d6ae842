import type { Clock } from '../../../common/clock.js';
import type { HealthPolicy } from '../../ports/domain/manifest.js';

/** What one run of `test.sh` showed. */
export interface CheckResult {
  ok: boolean;
  /** Its last line. */
  message: string;
}

export interface HealthState {
  health: 'unknown' | 'healthy' | 'unhealthy';
  message?: string;
  /** ISO 8601; when `health` last changed. */
  since?: string;
}

/** Until the first success, checks follow each other this closely, milliseconds; the pause grows up to the second value. */
const STARTING = { first: 50, longest: 1_000, growth: 1.5 } as const;

/**
 * Turns check results into a state of health: the first success is healthy at once; failures count only after the start period or once it
 * was healthy, and `retries` of them in a row are unhealthy.
 */
export class HealthTracker {
  private state: HealthState = { health: 'unknown' };
  private failures = 0;
  private checksSinceStart = 0;
  private readonly startedAt: number;

  /** `running` is how long the process had been running already, milliseconds, as after an adoption. */
  constructor(
    private readonly policy: HealthPolicy,
    private readonly clock: Clock,
    running = 0,
  ) {
    this.startedAt = clock.monotonic() - running;
  }

  get current(): HealthState {
    return this.state;
  }

  /** Takes a result; returns whether the state (not merely its message) changed. */
  record(result: CheckResult): boolean {
    this.checksSinceStart += 1;
    this.failures = result.ok ? 0 : this.failures + 1;
    const next = this.judge(result.ok);
    const changed = next !== this.state.health;
    const since = changed ? this.clock.now().toISOString() : this.state.since;
    this.state = { health: next, message: result.message, ...(since === undefined ? {} : { since }) };
    return changed;
  }

  /** Milliseconds until the next check. Quick while it starts, and while a failure waits for its confirmation. */
  nextDelay(): number {
    const interval = this.policy.interval * 1_000;
    if (this.state.health === 'healthy') return this.failures > 0 ? Math.min(interval, 1_000) : interval;
    if (this.state.health === 'unhealthy' && !this.isStarting()) return interval;
    const growing = STARTING.first * STARTING.growth ** this.checksSinceStart;
    return Math.min(interval, STARTING.longest, growing);
  }

  private judge(ok: boolean): HealthState['health'] {
    if (ok) return 'healthy';
    if (this.state.health === 'unknown' && this.isStarting()) return 'unknown';
    return this.failures >= this.policy.retries ? 'unhealthy' : this.state.health;
  }

  private isStarting(): boolean {
    return this.clock.monotonic() - this.startedAt < this.policy.startPeriod * 1_000;
  }
}
