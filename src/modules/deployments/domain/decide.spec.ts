import { describe, expect, it } from '@jest/globals';
import type { ObservedAllocation } from '../../../link/messages.js';
import { decide, PREPARE_DEADLINE_MS } from './decide.js';
import { DRAIN_DEADLINE_MS } from './decide-drain.js';
import { Simulation, simulate } from '../../../../test/support/simulation.js';

const healthy: Partial<ObservedAllocation> = { state: 'running', health: 'healthy' };

function deployment(...components: Parameters<typeof simulate>[0]['components']): Simulation {
  return simulate({ kind: 'deploy', components });
}

describe('a deploy', () => {
  it('prepares everything before it touches what runs', () => {
    const s = deployment({ name: 'db', action: 'update' }, { name: 'web', action: 'update', needs: ['db'] });
    s.decide();
    expect(s.state).toBe('preparing');
    s.report('db-new', { state: 'prepared' });
    expect(s.desired()).toEqual({ 'db-old': 'running', 'db-new': 'prepared', 'web-old': 'running', 'web-new': 'prepared' });
    s.report('web-new', { state: 'prepared' });
    expect(s.state).toBe('starting');
    expect(s.desired()).toEqual({ 'db-old': 'stopped', 'db-new': 'running', 'web-old': 'running', 'web-new': 'prepared' });
  });

  it('starts in the order of needs, each when what it needs is healthy, and ends the old last', () => {
    const s = deployment({ name: 'db', action: 'update' }, { name: 'web', action: 'update', needs: ['db'] });
    s.prepareAll();
    s.report('db-new', { state: 'running', health: 'unknown' });
    expect(s.desired()['web-new']).toBe('prepared');
    s.report('db-new', healthy);
    expect(s.desired()).toMatchObject({ 'web-old': 'stopped', 'web-new': 'running' });
    s.report('web-new', healthy);
    expect(s.state).toBe('verifying');
    s.pass(1_000);
    expect(s).toMatchObject({ state: 'draining', promoted: true });
    expect(s.desired()).toMatchObject({ 'db-old': 'removed', 'web-old': 'removed' });
    s.report('db-old', { state: 'removed' });
    s.report('web-old', { state: 'removed' });
    expect(s.state).toBe('succeeded');
    expect(Object.keys(s.desired())).toEqual(['db-new', 'web-new']);
  });

  it('leaves the old running when the new cannot be prepared', () => {
    const s = deployment({ name: 'web', action: 'update' });
    s.decide();
    s.report('web-new', {
      state: 'failed',
      step: 'build',
      exit: { code: 1 },
      logTail: ['npm error'],
      message: 'build.sh exited with code 1',
    });
    expect(s.state).toBe('aborting');
    s.report('web-new', { state: 'removed' });
    expect(s.state).toBe('failed');
    expect(s.desired()).toEqual({ 'web-old': 'running' });
    expect(s.epochOf('web-old')).toBe(1);
    expect(s.failure).toMatchObject({ component: 'web', step: 'build', exitCode: 1, logTail: ['npm error'] });
    expect(s.failure?.fix).toMatch(/build/);
  });

  it('puts the old back when the new ends after its start', () => {
    const s = deployment({ name: 'web', action: 'update' });
    s.prepareAll();
    s.report('web-new', { state: 'restarting', restarts: 1, exit: { signal: 'SIGSEGV' }, logTail: ['boom'] });
    expect(s.desired()).toEqual({ 'web-old': 'running', 'web-new': 'removed' });
    s.report('web-new', { state: 'removed' });
    s.report('web-old', healthy);
    expect(s.state).toBe('rolled_back');
    expect(s.failure).toMatchObject({ component: 'web', step: 'start', signal: 'SIGSEGV', logTail: ['boom'] });
  });

  it('says why the new cannot be started at all', () => {
    const s = deployment({ name: 'web', action: 'update' });
    s.prepareAll();
    s.report('web-new', { state: 'restarting', restarts: 1, step: 'start', message: 'There is no ${db.NOTHING}.' });
    expect(s.failure).toMatchObject({ step: 'start', message: 'web cannot be started: There is no ${db.NOTHING}.' });
  });

  it('puts the old back when the new is not healthy by its deadline', () => {
    const s = deployment({ name: 'web', action: 'update' });
    s.prepareAll();
    s.report('web-new', { state: 'running', health: 'unhealthy', healthMessage: 'no answer on /' });
    s.pass(302_000);
    expect(s.desired()).toEqual({ 'web-old': 'running', 'web-new': 'removed' });
    s.report('web-new', { state: 'stopping', logTail: ['waiting for godot'] });
    expect(s.failure).toMatchObject({
      step: 'verify',
      message: 'web runs but was not healthy within 300 s: no answer on /.',
      logTail: ['waiting for godot'],
    });
  });

  it('does not believe an observation that answers an older epoch', () => {
    const s = deployment({ name: 'web', action: 'update' });
    s.prepareAll();
    s.report('web-new', { ...healthy, epoch: 1 });
    expect(s.state).toBe('starting');
    s.report('web-new', healthy);
    expect(s.state).toBe('verifying');
  });

  it('gives unchanged dependants the new address without restarting them', () => {
    const s = deployment({ name: 'db', action: 'update' }, { name: 'web', action: 'none', needs: ['db'] });
    s.prepareAll();
    expect(s.needsOf('web-old')).toEqual({ db: 'db-new' });
    expect(s.nonceOf('web-old')).toBe(0);
    s.report('db-new', { state: 'failed', exit: { code: 1 } });
    expect(s.needsOf('web-old')).toEqual({ db: 'db-old' });
  });

  it('restarts a dependant that reads changed exports, after what it reads is healthy', () => {
    const s = deployment({ name: 'db', action: 'update' }, { name: 'web', action: 'restart', needs: ['db'] });
    s.prepareAll();
    expect(s.nonceOf('web-old')).toBe(0);
    s.report('db-new', healthy);
    expect(s.nonceOf('web-old')).toBe(1);
    s.report('web-old', healthy);
    s.pass(1_000);
    expect(s.state).toBe('draining');
  });

  it('removes what left the project, dependants first', () => {
    const s = deployment({ name: 'db', action: 'remove' }, { name: 'web', action: 'remove', needs: ['db'] });
    s.decide();
    expect(s.desired()).toEqual({ 'db-old': 'running', 'web-old': 'removed' });
    s.report('web-old', { state: 'removed' });
    expect(s.desired()).toEqual({ 'db-old': 'removed' });
    s.report('db-old', { state: 'removed' });
    expect(s.state).toBe('succeeded');
  });

  it('turns back when it is cancelled, and only before it is live', () => {
    const s = deployment({ name: 'web', action: 'update' });
    s.prepareAll();
    s.cancel();
    expect(s.desired()).toEqual({ 'web-old': 'running', 'web-new': 'removed' });
    s.report('web-new', { state: 'removed' });
    s.report('web-old', healthy);
    expect(s.state).toBe('cancelled');
  });

  it('gives up preparing at its deadline', () => {
    const s = deployment({ name: 'web', action: 'create' });
    s.decide();
    expect(s.wakeAt).toBe(PREPARE_DEADLINE_MS);
    s.pass(PREPARE_DEADLINE_MS);
    expect(s.state).toBe('aborting');
  });

  it('has nothing to do when nothing changed', () => {
    const s = deployment({ name: 'web', action: 'none' });
    s.decide();
    expect(s).toMatchObject({ state: 'succeeded', promoted: true });
    expect(s.epochOf('web-old')).toBe(1);
  });
});

describe('start, stop, restart, delete', () => {
  it('stops dependants before what they need', () => {
    const s = simulate({
      kind: 'stop',
      components: [
        { name: 'db', action: 'stop' },
        { name: 'web', action: 'stop', needs: ['db'] },
      ],
    });
    s.decide();
    expect(s.desired()).toEqual({ 'db-old': 'running', 'web-old': 'stopped' });
    s.report('web-old', { state: 'stopped' });
    expect(s.desired()).toEqual({ 'db-old': 'stopped', 'web-old': 'stopped' });
    s.report('db-old', { state: 'stopped' });
    expect(s.state).toBe('succeeded');
  });

  it('starts what is stopped once what it needs is healthy', () => {
    const s = simulate({
      kind: 'start',
      components: [
        { name: 'db', action: 'start' },
        { name: 'web', action: 'start', needs: ['db'] },
      ],
      desired: 'stopped',
    });
    s.decide();
    expect(s.desired()).toEqual({ 'db-old': 'running', 'web-old': 'stopped' });
    s.report('db-old', healthy);
    s.report('web-old', healthy);
    s.pass(1_000);
    expect(s.state).toBe('succeeded');
  });

  it('restarts by the nonce, and fails without undoing what is wanted', () => {
    const s = simulate({ kind: 'restart', components: [{ name: 'web', action: 'restart' }] });
    s.decide();
    expect(s.nonceOf('web-old')).toBe(1);
    s.report('web-old', { state: 'failed', exit: { code: 7 } });
    expect(s.state).toBe('failed');
    expect(s.desired()).toEqual({ 'web-old': 'running' });
  });

  it('fails a stop that no node confirms', () => {
    const s = simulate({ kind: 'stop', components: [{ name: 'web', action: 'stop' }] });
    s.decide();
    s.pass(DRAIN_DEADLINE_MS);
    expect(s.state).toBe('failed');
    expect(s.desired()).toEqual({ 'web-old': 'stopped' });
  });

  it('deletes all, with their data when asked', () => {
    const s = simulate({ kind: 'delete', purge: true, components: [{ name: 'web', action: 'remove' }] });
    const decision = s.decide();
    expect(decision.writes.get('web-old')).toEqual({ desired: 'removed', purge: true });
    s.report('web-old', { state: 'removed' });
    expect(s.state).toBe('succeeded');
    expect(s.desired()).toEqual({});
  });

  it('decides the same when it is asked twice', () => {
    const s = simulate({ kind: 'deploy', components: [{ name: 'web', action: 'update' }] });
    s.decide();
    expect(decide(s.situation).writes.size).toBe(0);
    expect(decide(s.situation)).toEqual(decide(s.situation));
  });
});
