import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../../common/clock.js';
import { healthSchema } from '../../ports/domain/manifest.js';
import { HealthTracker } from './health-tracker.js';

const policy = healthSchema.parse({ interval: 10, startPeriod: 30, retries: 3 });
const good = { ok: true, message: 'PONG' };
const bad = { ok: false, message: 'refused' };

describe('HealthTracker', () => {
  let clock: ManualClock;
  let tracker: HealthTracker;
  beforeEach(() => {
    clock = new ManualClock();
    tracker = new HealthTracker(policy, clock);
  });

  it('is healthy with the first success, and says since when', () => {
    clock.advance(1_500);
    expect(tracker.record(good)).toBe(true);
    expect(tracker.current).toEqual({ health: 'healthy', message: 'PONG', since: '2026-01-01T00:00:01.500Z' });
    expect(tracker.record(good)).toBe(false);
  });

  it('does not count failures in the start period', () => {
    for (let i = 0; i < 10; i++) tracker.record(bad);
    expect(tracker.current.health).toBe('unknown');
    clock.advance(30_000);
    tracker.record(bad);
    expect(tracker.current.health).toBe('unhealthy');
  });

  it('is unhealthy after as many failures in a row as the policy says', () => {
    tracker.record(good);
    expect([bad, bad, good, bad, bad, bad].map((result) => tracker.record(result))).toEqual([false, false, false, false, false, true]);
    expect(tracker.current.health).toBe('unhealthy');
    expect(tracker.record(good)).toBe(true);
  });

  it('counts from the true start of an adopted process', () => {
    const adopted = new HealthTracker(policy, clock, 60_000);
    for (let i = 0; i < 3; i++) adopted.record(bad);
    expect(adopted.current.health).toBe('unhealthy');
  });

  it('checks closely while it starts, then at the interval, and soon again after a failure', () => {
    const pauses = Array.from({ length: 12 }, () => {
      const pause = tracker.nextDelay();
      tracker.record(bad);
      return pause;
    });
    expect(pauses[0]).toBe(50);
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
    expect(pauses.at(-1)).toBe(1_000);
    tracker.record(good);
    expect(tracker.nextDelay()).toBe(10_000);
    tracker.record(bad);
    expect(tracker.nextDelay()).toBe(1_000);
  });
});
