import { describe, expect, it } from '@jest/globals';
import { advance, daysOf, type MeterState, ownTicks } from './meter.js';
import type { ProcessSample } from './process-samples.js';

const process = (key: string, own: number, reaped = 0, memory = 0): ProcessSample => ({ key, own, reaped, memory });

/** Looks at the same sandbox again and again, 10 s apart. */
class Sandbox {
  private state: MeterState | undefined;
  private own = ownTicks([]);
  private uptime = 1_000;

  constructor(private readonly name = 'a') {}

  look(...processes: ProcessSample[]): { cpu: number; memory: number } {
    this.uptime += 10;
    const { usage, after } = advance(this.state, this.own, { sandbox: this.name, startedAt: 1_000, uptime: this.uptime, processes });
    this.state = after;
    this.own = ownTicks(processes);
    return { cpu: usage.cpuSeconds, memory: usage.memoryByteSeconds };
  }

  /** Another agent knows the journal alone. */
  restartAgent(): void {
    this.own = ownTicks([]);
  }
}

describe('the meter', () => {
  it('counts from the beginning of a sandbox', () => {
    expect(new Sandbox().look(process('1', 300, 200, 1_000))).toEqual({ cpu: 5, memory: 10_000 });
  });

  it('counts a child once, before and after its parent waited for it', () => {
    const sandbox = new Sandbox();
    expect(sandbox.look(process('1', 100), process('2', 400)).cpu).toBe(5);
    expect(sandbox.look(process('1', 150, 450)).cpu).toBe(1);
  });

  it('counts a child once that ended between the looks at it and at its parent', () => {
    const sandbox = new Sandbox();
    sandbox.look(process('1', 100), process('2', 400));
    expect(sandbox.look(process('1', 100)).cpu).toBe(0);
    expect(sandbox.look(process('1', 120, 400)).cpu).toBeCloseTo(0.2);
  });

  it('goes on counting when nobody waits for children', () => {
    const sandbox = new Sandbox();
    sandbox.look(process('1', 100), process('2', 400));
    expect(sandbox.look(process('1', 200)).cpu).toBe(1);
    expect(sandbox.look(process('1', 300)).cpu).toBe(1);
  });

  it('counts nothing twice and nothing less when another agent goes on', () => {
    const sandbox = new Sandbox();
    const first = sandbox.look(process('1', 100)).cpu;
    sandbox.restartAgent();
    expect(first + sandbox.look(process('1', 250), process('2', 50)).cpu).toBe(3);
  });

  it('takes the mean of two looks at memory', () => {
    const sandbox = new Sandbox();
    sandbox.look(process('1', 0, 0, 1_000));
    expect(sandbox.look(process('1', 0, 0, 3_000)).memory).toBe(20_000);
  });

  it('splits what spans midnight', () => {
    const midnight = Date.UTC(2026, 0, 2);
    expect(daysOf(midnight - 3_000, midnight + 9_000)).toEqual([
      { day: '2026-01-01', share: 0.25 },
      { day: '2026-01-02', share: 0.75 },
    ]);
    expect(daysOf(midnight, midnight)).toEqual([{ day: '2026-01-02', share: 1 }]);
    expect(daysOf(midnight - 86_400_000, midnight)).toEqual([{ day: '2026-01-01', share: 1 }]);
  });
});
