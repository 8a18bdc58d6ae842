import { describe, expect, it } from '@jest/globals';
import { RestartPolicy } from './restart-policy.js';

const settings = { quickRestarts: 2, firstDelay: 100, maxDelay: 1_000, maxRestarts: 6, stableRun: 5_000 };

function delays(policy: RestartPolicy, count: number): (number | string)[] {
  return Array.from({ length: count }, () => {
    const decision = policy.exited(10);
    return decision.kind === 'restart' ? decision.delay : decision.kind;
  });
}

describe('RestartPolicy', () => {
  it('restarts quickly twice, then backs off up to the cap, then gives up', () => {
    expect(delays(new RestartPolicy(0, settings), 7)).toEqual([100, 100, 200, 400, 800, 1_000, 'give-up']);
  });

  it('begins anew after a stable run', () => {
    const policy = new RestartPolicy(0, settings);
    delays(policy, 5);
    expect(policy.exited(5_000)).toEqual({ kind: 'restart', delay: 100 });
    expect(policy.restartsInARow).toBe(1);
  });

  it('goes on where an earlier agent stood', () => {
    expect(delays(new RestartPolicy(5, settings), 2)).toEqual([1_000, 'give-up']);
  });

  it('forgets the row when somebody asks for a start', () => {
    const policy = new RestartPolicy(6, settings);
    policy.reset();
    expect(policy.exited(10)).toEqual({ kind: 'restart', delay: 100 });
  });

  it('says why it gave up', () => {
    expect(new RestartPolicy(6, settings).exited(10)).toMatchObject({ kind: 'give-up', reason: expect.stringContaining('7 times') });
  });
});
