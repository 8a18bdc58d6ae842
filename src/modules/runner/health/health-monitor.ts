import type { Clock } from '../../../common/clock.js';
import type { HealthPolicy } from '../../ports/domain/manifest.js';
import { type CheckResult, type HealthState, HealthTracker } from './health-tracker.js';

export interface HealthMonitorOptions {
  policy: HealthPolicy;
  clock: Clock;
  /** How long the process has been running already, milliseconds. */
  running: number;
  /** Runs `test.sh` once; must end by itself within the policy's timeout. */
  check: (signal: AbortSignal) => Promise<CheckResult>;
  /** A cheap sign that a first check is worth its cost, such as an open listen port; not asked once it was healthy. */
  mayAnswer: () => boolean;
  /** Called when the state or its message changes. */
  onChange: (state: HealthState, changed: boolean) => void;
}

/** How often `mayAnswer` is asked, and for how long at most before a check is made all the same, milliseconds. */
const SIGN_INTERVAL_MS = 10;
const LONGEST_WITHOUT_CHECK_MS = 1_000;

/** Checks one running process for as long as it runs. */
export class HealthMonitor {
  private readonly tracker: HealthTracker;
  private readonly abort = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private wasHealthy = false;

  constructor(private readonly options: HealthMonitorOptions) {
    this.tracker = new HealthTracker(options.policy, options.clock, options.running);
  }

  start(): void {
    this.schedule(0);
  }

  /** Ends a check in progress, too. */
  stop(): void {
    this.abort.abort();
    clearTimeout(this.timer);
  }

  get state(): HealthState {
    return this.tracker.current;
  }

  private schedule(delay: number): void {
    const due = this.options.clock.monotonic() + (this.wasHealthy ? delay : Math.min(delay, LONGEST_WITHOUT_CHECK_MS));
    this.await(this.wasHealthy ? due : due + LONGEST_WITHOUT_CHECK_MS, due);
  }

  /** Checks at `latest`, or from `earliest` on as soon as there is a sign that it may answer. */
  private await(latest: number, earliest: number): void {
    if (this.abort.signal.aborted) return;
    const now = this.options.clock.monotonic();
    if (now >= latest || (now >= earliest && this.options.mayAnswer())) {
      void this.checkNow();
      return;
    }
    const pause = now < earliest ? earliest - now : Math.min(SIGN_INTERVAL_MS, latest - now);
    this.timer = setTimeout(() => this.await(latest, earliest), pause).unref();
  }

  private async checkNow(): Promise<void> {
    const result = await this.options.check(this.abort.signal).catch((error: unknown): CheckResult => {
      return { ok: false, message: `The check could not be run: ${error instanceof Error ? error.message : String(error)}` };
    });
    if (this.abort.signal.aborted) return;
    const before = this.tracker.current.message;
    const changed = this.tracker.record(result);
    this.wasHealthy ||= result.ok;
    if (changed || before !== result.message) this.options.onChange(this.tracker.current, changed);
    this.schedule(this.tracker.nextDelay());
  }
}
