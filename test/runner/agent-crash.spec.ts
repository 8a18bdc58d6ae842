import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { until } from '../support/until.js';
import { PROJECT_ID, ask, desired, ok } from './support/desired.js';
import { MODES, NodeUnderTest } from './support/node-under-test.js';

// Real processes on a machine that may be busy.
jest.setTimeout(90_000);

describe.each(MODES)('components and their agent in %s mode', (mode) => {
  let node: NodeUnderTest;
  beforeAll(async () => {
    node = await NodeUnderTest.open(mode);
    await node.start();
  });
  afterAll(() => node.close());

  it('outlive a killed agent: the next one takes over the same process, with its log', async () => {
    const web = await ok({ component: 'survivor' });
    node.control.want(web);
    const before = await node.control.running(web.id);
    await node.end('SIGKILL');
    expect(await ask(web, '/log?text=while-nobody-looked')).toBe('logged');
    await node.start();
    const after = await node.control.running(web.id);
    expect(after).toMatchObject({ pid: before.pid, startedAt: before.startedAt, restarts: 0 });
    await ask(web, '/log?text=afterwards');
    const stream = node.control.logs({ projectId: PROJECT_ID, component: 'survivor', lines: 100, follow: true });
    await until(() => node.control.texts(stream).includes('afterwards'));
    expect(node.control.texts(stream)).toEqual([`listening on ${web.listen['http']?.port ?? 0}`, 'while-nobody-looked', 'afterwards']);
  });

  it('outlive an agent that ends in order', async () => {
    const web = await ok({ component: 'kept-on' });
    node.control.want(web);
    const before = await node.control.running(web.id);
    await node.end('SIGTERM');
    expect(await ask(web)).toBe('hello');
    await node.start();
    expect((await node.control.running(web.id)).pid).toBe(before.pid);
  });

  it('can be stopped by the next agent', async () => {
    const web = await ok({ component: 'stopped-later' });
    node.control.want(web);
    const { pid = 0 } = await node.control.running(web.id);
    await node.end('SIGKILL');
    await node.start();
    node.control.change(web.id, { desired: 'stopped' });
    await node.control.see(web.id, ({ state }) => state === 'stopped');
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });

  it('are started again when they ended while no agent ran', async () => {
    const web = await ok({ component: 'died-alone' });
    node.control.want(web);
    const { pid = 0 } = await node.control.running(web.id);
    await node.end('SIGKILL');
    process.kill(pid, 'SIGKILL');
    await until(() => isDead(pid));
    await node.start();
    expect((await node.control.running(web.id)).pid).not.toBe(pid);
  });

  it('are never started twice, though the agent is killed at any moment of a start', async () => {
    const web = await ok({ component: 'hurried' });
    for (let nonce = 1; nonce <= 6; nonce++) {
      node.control.want({ ...web, epoch: nonce, restartNonce: nonce });
      await node.control.see(web.id, ({ state }) => nonce % 2 === 0 || state === 'starting' || state === 'running');
      await node.end('SIGKILL');
      await node.start();
    }
    await node.control.running(web.id);
    const directory = `${node.home}/tenants/acme/shop/hurried`;
    expect(environmentsWith(`COMPONENT_DIR=${directory}`)).toHaveLength(1);
    expect(await ask(web, '/inits')).toMatch(/^(once\n)+$/);
  });

  it('survive the death of the monitor outside of the sandbox', async () => {
    const web = await ok({ component: 'unwatched' });
    node.control.want(web);
    const { pid = 0 } = await node.control.running(web.id);
    const sandbox = parentOf(pid);
    process.kill(parentOf(sandbox), 'SIGKILL');
    expect(await ask(web)).toBe('hello');
    process.kill(pid, 'SIGKILL');
    await node.control.see(web.id, ({ restarts, health }) => restarts === 1 && health === 'healthy');
  });

  it('go on while the control plane is away, and are reported when it is back', async () => {
    const web = await ok({ component: 'alone' });
    node.control.want(web);
    const { pid = 0 } = await node.control.running(web.id);
    await node.control.close();
    process.kill(pid, 'SIGKILL');
    await until(() =>
      ask(web).then(
        (text) => text === 'hello',
        () => false,
      ),
    );
    await node.control.listen();
    const seen = await node.control.see(web.id, ({ restarts, health }) => restarts === 1 && health === 'healthy');
    expect(seen.pid).not.toBe(pid);
  });

  /** When a server was told to end, by the clock of the machine. */
  async function endOf(component: string): Promise<bigint> {
    const stream = node.control.logs({ projectId: PROJECT_ID, component, lines: 100, follow: false });
    const ends = (): string[] => node.control.texts(stream).filter((text) => text.startsWith('ending in order at '));
    await until(() => ends().length > 0);
    return BigInt(ends().at(-1)?.replace(/\D+/, '') ?? 0);
  }

  it('are all stopped, dependants first, when the agent is asked to; the next one starts them again', async () => {
    const base = await ok({ component: 'first' });
    const user = await ok({ component: 'second', needs: { first: base.id } });
    const stubborn = desired({ port: 'ignores-term' });
    node.control.want(base, user, stubborn);
    const pids = await Promise.all([base, user, stubborn].map(async ({ id }) => (await node.control.running(id)).pid ?? 0));
    await node.end('SIGUSR2');
    expect(pids.filter((pid) => !isDead(pid))).toEqual([]);
    await node.start();
    await node.control.running(user.id);
    expect(await endOf('second')).toBeLessThan(await endOf('first'));
  });
});

function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function isDead(pid: number): boolean {
  const state = statOf(pid)?.[0];
  return state === undefined || state === 'Z';
}

function parentOf(pid: number): number {
  return Number(statOf(pid)?.[1]);
}

/** Node.js servers of all sandboxes whose environment has this entry. */
function environmentsWith(entry: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      const environment = read(`/proc/${pid}/environ`).split('\0');
      return environment.includes(entry) && read(`/proc/${pid}/cmdline`).includes('server.mjs');
    });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
