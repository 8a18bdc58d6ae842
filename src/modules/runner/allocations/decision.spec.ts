import { describe, expect, it } from '@jest/globals';
import { type Situation, decide } from './decision.js';

const idle: Situation = {
  desired: 'running',
  halting: false,
  prepared: true,
  failed: false,
  running: false,
  current: false,
  backOff: 0,
  blocked: undefined,
  removed: false,
};
const up: Situation = { ...idle, running: true, current: true };

describe('decide', () => {
  it('prepares, then starts, then rests', () => {
    expect(decide({ ...idle, prepared: false })).toEqual({ kind: 'prepare' });
    expect(decide(idle)).toEqual({ kind: 'start' });
    expect(decide(up)).toEqual({ kind: 'wait', state: 'running' });
  });

  it('waits for a back-off and for other components, and says so', () => {
    expect(decide({ ...idle, backOff: 500 })).toEqual({ kind: 'wait', state: 'restarting', forMs: 500 });
    expect(decide({ ...idle, blocked: 'waits for db' })).toEqual({ kind: 'wait', state: 'starting', message: 'waits for db' });
  });

  it('does not retry what failed', () => {
    expect(decide({ ...idle, failed: true })).toEqual({ kind: 'wait', state: 'failed' });
    expect(decide({ ...idle, desired: 'prepared', prepared: false, failed: true })).toEqual({ kind: 'wait', state: 'failed' });
  });

  it('keeps an outdated process until its successor is prepared', () => {
    const outdated = { ...up, current: false };
    expect(decide({ ...outdated, prepared: false })).toEqual({ kind: 'prepare' });
    expect(decide({ ...outdated, prepared: false, failed: true })).toEqual({ kind: 'wait', state: 'running' });
    expect(decide(outdated)).toEqual({ kind: 'stop' });
  });

  it.each(['stopped', 'prepared', 'removed'] as const)('stops a process when %s is wanted', (desired) => {
    expect(decide({ ...up, desired })).toEqual({ kind: 'stop' });
  });

  it('removes once, after the stop', () => {
    expect(decide({ ...idle, desired: 'removed' })).toEqual({ kind: 'remove' });
    expect(decide({ ...idle, desired: 'removed', failed: true })).toEqual({ kind: 'wait', state: 'failed' });
    expect(decide({ ...idle, desired: 'removed', removed: true })).toEqual({ kind: 'wait', state: 'removed' });
  });

  it('stops everything when the agent halts, and removes nothing that was not asked for', () => {
    expect(decide({ ...up, halting: true })).toEqual({ kind: 'stop' });
    expect(decide({ ...idle, halting: true })).toEqual({ kind: 'wait', state: 'stopped' });
  });

  it('keeps a stopped allocation as it is, prepared or not', () => {
    expect(decide({ ...idle, desired: 'stopped', prepared: false })).toEqual({ kind: 'wait', state: 'stopped' });
  });
});
