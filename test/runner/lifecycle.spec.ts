import { existsSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { until } from '../support/until.js';
import { ask, desired, ok } from './support/desired.js';
import { MODES, NodeUnderTest } from './support/node-under-test.js';

// Real processes on a machine that may be busy.
jest.setTimeout(90_000);

describe.each(MODES)('an agent in %s mode', (mode) => {
  let node: NodeUnderTest;
  beforeAll(async () => {
    node = await NodeUnderTest.open(mode);
    await node.start();
  });
  afterAll(() => node.close());

  it('found its sandbox without a hole', () => {
    expect(node.control.facts?.isolation.checks.filter((check) => !check.ok)).toEqual([]);
    expect(node.control.facts).toMatchObject({ isolation: { mode, ok: true } });
  });

  it('brings a component to health, and reports its process', async () => {
    const web = await ok({ vars: { GREETING: 'good day' } });
    node.control.want(web);
    const seen = await node.control.running(web.id);
    expect(seen).toMatchObject({ healthMessage: 'good day', uid: node.uidOf(7), restarts: 0 });
    expect(seen.resolvedVersion).toMatch(/^24\./);
    expect(statSync(`/proc/${seen.pid ?? 0}`).uid).toBe(node.uidOf(7));
    expect(await ask(web)).toBe('good day');
    expect(node.control.history.get(web.id)).toEqual(expect.arrayContaining(['preparing', 'starting', 'running']));
    expect(node.control.progress).toContain('init: initialised ok');
  });

  it("gives a process the contract's environment and nothing of its own", async () => {
    const web = await ok({ component: 'web', env: { COLOUR: 'blue' } });
    node.control.want(web);
    await node.control.running(web.id);
    const environment = JSON.parse(await ask(web, '/env')) as Record<string, string>;
    expect(environment).toMatchObject({
      COLOUR: 'blue',
      COMPONENT_NAME: 'web',
      PROJECT_NAME: 'shop',
      RUN_DIR: '/run/web',
      OK_VERSION: '24',
    });
    expect(environment['COMPONENT_DIR']).toBe(join(node.home, 'tenants/acme/shop/web'));
    expect(Object.keys(environment).filter((name) => /^(HITHE_(?!PORT_DIR|SCRIPT|LIB_DIR)|NODE_|npm_)/.test(name))).toEqual([]);
  });

  it('stops in order, starts again on the same data, and does not initialise twice', async () => {
    const web = await ok({ component: 'again' });
    node.control.want(web);
    const first = await node.control.running(web.id);
    node.control.change(web.id, { desired: 'stopped' });
    await node.control.see(web.id, ({ state }) => state === 'stopped');
    expect(existsSync(`/proc/${first.pid ?? 0}`)).toBe(false);
    expect(node.control.of(web.id)).not.toHaveProperty('exit');
    node.control.change(web.id, { desired: 'running' });
    const second = await node.control.running(web.id);
    expect(second.pid).not.toBe(first.pid);
    expect(await ask(web, '/inits')).toBe('once\n');
  });

  it('restarts when asked, and then says that it did', async () => {
    const web = await ok({ component: 'renewed' });
    node.control.want(web);
    const first = await node.control.running(web.id);
    node.control.change(web.id, { restartNonce: 1 });
    const second = await node.control.see(web.id, ({ health, restartNonce }) => health === 'healthy' && restartNonce === 1);
    expect(second.pid).not.toBe(first.pid);
  });

  it('hands on exports and resolves references', async () => {
    const base = await ok({ component: 'base' });
    const user = await ok({ component: 'user', needs: { base: base.id }, env: { ADDRESS: '<${base.OK_URL}>' } });
    node.control.want(base, user);
    await node.control.running(user.id);
    const environment = JSON.parse(await ask(user, '/env')) as Record<string, string>;
    expect(environment['ADDRESS']).toBe(`<http://127.0.0.1:${base.listen['http']?.port ?? 0}/>`);
    expect(node.agentLog()).not.toContain('secret-of-base');
  });

  it('run on when another allocation takes over what they need', async () => {
    const base = await ok({ component: 'base3' });
    const user = await ok({ component: 'user3', needs: { base3: base.id } });
    node.control.want(base, user);
    const { pid } = await node.control.running(user.id);
    const next = { ...(await ok({ component: 'base3' })), listen: base.listen };
    const repointed = { ...user, epoch: user.epoch + 1, needs: { base3: next.id } };
    node.control.want({ ...base, epoch: base.epoch + 1, desired: 'stopped' }, next, repointed);
    await node.control.running(next.id);
    await node.control.see(user.id, ({ epoch }) => epoch === repointed.epoch);
    expect(await node.control.running(user.id)).toMatchObject({ pid, restarts: 0 });
  });

  it('says why a reference cannot be resolved', async () => {
    const base = await ok({ component: 'base2' });
    const user = await ok({ component: 'user2', needs: { base2: base.id }, env: { ADDRESS: '${base2.NOTHING}' } });
    node.control.want(base, user);
    const seen = await node.control.see(user.id, ({ message }) => message?.includes('NOTHING') === true);
    expect(seen.step).toBe('start');
  });

  it('follows no link that a tenant left, and answers a restart with that', async () => {
    const web = await ok({ component: 'linked' });
    node.control.want(web);
    await node.control.running(web.id);
    const run = join(node.home, 'tenants/acme/shop/linked/run');
    rmSync(run, { recursive: true });
    symlinkSync('/etc', run);
    node.control.change(web.id, { restartNonce: 1 });
    const seen = await node.control.see(web.id, ({ state, restartNonce }) => state === 'restarting' && restartNonce === 1);
    expect(seen).toMatchObject({ step: 'start', message: expect.stringMatching(/directory "run".*a link\. Remove/) });
  });

  it('restarts what breaks, with exit code and last lines', async () => {
    const broken = desired({ port: 'broken' });
    node.control.want(broken);
    const seen = await node.control.see(broken.id, ({ state, restarts }) => state === 'restarting' && restarts > 1);
    expect(seen).toMatchObject({ exit: { code: 3 }, logTail: ['cannot find what it needs'], step: 'start' });
    expect(seen.exit).not.toHaveProperty('signal');
    node.control.change(broken.id, { desired: 'stopped' });
    await node.control.see(broken.id, ({ state }) => state === 'stopped');
  });

  it('tells a signal from an exit code', async () => {
    const web = await ok({ component: 'killed' });
    node.control.want(web);
    const { pid = 0 } = await node.control.running(web.id);
    process.kill(pid, 'SIGKILL');
    const seen = await node.control.see(web.id, ({ exit }) => exit !== undefined);
    expect(seen.exit).toEqual({ signal: 'SIGKILL' });
    await node.control.see(web.id, ({ health, restarts }) => health === 'healthy' && restarts === 1);
  });

  it('calls a component that never answers unhealthy, and lets it run', async () => {
    const hangs = desired({ port: 'hangs', health: { ...desired({ port: 'hangs' }).health, startPeriod: 0 } });
    node.control.want(hangs);
    const seen = await node.control.see(hangs.id, ({ health }) => health === 'unhealthy');
    expect(seen).toMatchObject({ state: 'running', healthMessage: 'error: no answer', restarts: 0 });
  });

  it('kills what takes no notice of its stop signal', async () => {
    const stubborn = desired({ port: 'ignores-term' });
    node.control.want(stubborn);
    const { pid = 0 } = await node.control.running(stubborn.id);
    node.control.change(stubborn.id, { desired: 'stopped' });
    await node.control.see(stubborn.id, ({ state }) => state === 'stopped');
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });

  it('leaves no daemon behind when a component ends', async () => {
    const forks = desired({ port: 'forks-grandchild' });
    node.control.want(forks);
    const { pid = 0 } = await node.control.running(forks.id);
    await until(() => commandLines().some((line) => line.startsWith('sleep 31415')));
    const daemons = pidsOf('sleep 31415');
    process.kill(pid, 'SIGTERM');
    await node.control.see(forks.id, ({ exit }) => exit !== undefined);
    expect(daemons.filter((daemon) => existsSync(`/proc/${daemon}`))).toEqual([]);
  });

  it('replaces a release only when the old one has ended, on the same data and network port', async () => {
    const first = await ok({ component: 'app', vars: { GREETING: 'one' } });
    node.control.want(first);
    const { pid = 0 } = await node.control.running(first.id);
    const second = { ...(await ok({ component: 'app', vars: { GREETING: 'two' }, release: 2 })), listen: first.listen };
    node.control.want(first, { ...second, desired: 'prepared' });
    await node.control.see(second.id, ({ state }) => state === 'prepared');
    expect(await ask(first)).toBe('one');
    node.control.want({ ...first, desired: 'stopped', epoch: 2 }, { ...second, desired: 'running', epoch: 2 });
    await node.control.running(second.id);
    expect(await ask(first)).toBe('two');
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    node.control.want({ ...first, desired: 'removed', epoch: 3 }, { ...second, epoch: 2 });
    await node.control.see(first.id, ({ state }) => state === 'removed');
    expect(await ask(second, '/inits')).toBe('once\n');
  });

  it('removes: sets data aside, or deletes it', async () => {
    const kept = await ok({ component: 'kept', project: 'going' });
    const purged = await ok({ component: 'purged', project: 'going' });
    node.control.want(kept, purged);
    await node.control.running(kept.id);
    await node.control.running(purged.id);
    node.control.want({ ...kept, desired: 'removed', epoch: 2 }, { ...purged, desired: 'removed', purge: true, epoch: 2 });
    await node.control.see(kept.id, ({ state }) => state === 'removed');
    await node.control.see(purged.id, ({ state }) => state === 'removed');
    const tenant = join(node.home, 'tenants/acme');
    expect(readdirSync(join(tenant, 'going'))).toEqual([]);
    const aside = readdirSync(join(tenant, '.kept'));
    expect(aside).toEqual([expect.stringMatching(/^going-kept-/)]);
    expect(readFileSync(join(tenant, '.kept', aside[0] ?? '', 'data/inits'), 'utf8')).toBe('once\n');
  });

  it('refuses an older epoch and an older generation', async () => {
    const web = await ok({ component: 'epochs', epoch: 5 });
    node.control.want(web);
    await node.control.running(web.id);
    node.control.want({ ...web, epoch: 4, desired: 'stopped' });
    const facts = node.control.task({ kind: 'plan-facts', closures: [] });
    await facts;
    expect(node.control.of(web.id)).toMatchObject({ state: 'running', epoch: 5 });
  });

  it('gives facts for plans: who listens, and what is installed', async () => {
    const web = await ok({ component: 'facts' });
    node.control.want(web);
    const { pid } = await node.control.running(web.id);
    const facts = await node.control.task({ kind: 'plan-facts', closures: [{ port: 'ok', version: '24' }] });
    const port = web.listen['http']?.port;
    expect(facts).toMatchObject({
      closures: [{ port: 'ok', version: '24', installed: true, resolvedVersion: expect.stringMatching(/^24\./) }],
      listeners: expect.arrayContaining([
        { address: '127.0.0.1', port, uid: node.uidOf(7), pid, process: expect.any(String), allocationId: web.id },
      ]),
    });
  });

  it('spoke only the protocol', () => {
    expect(node.control.invalid).toEqual([]);
  });
});

function pidsOf(command: string): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && commandLineOf(name).startsWith(command));
}

function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(commandLineOf);
}

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
