import { readFileSync, readlinkSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ask, ok } from './support/desired.js';
import { MODES, NodeUnderTest, TENANT_UID_BASE, isRoot } from './support/node-under-test.js';

// Real processes on a machine that may be busy.
jest.setTimeout(90_000);

const field = (pid: number, name: string): string =>
  new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]?.trim() ?? '';

describe.each(MODES)('the walls around components in %s mode', (mode) => {
  let node: NodeUnderTest;
  beforeAll(async () => {
    node = await NodeUnderTest.open(mode);
    await node.start();
  });
  afterAll(() => node.close());

  it('leave a process no capability, as the host sees it', async () => {
    const web = await ok();
    node.control.want(web);
    const { pid = 0 } = await node.control.running(web.id);
    for (const name of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) expect(field(pid, name)).toMatch(/^0+$/);
    expect(field(pid, 'NoNewPrivs')).toBe('1');
    for (const kind of ['user', 'pid', 'mnt', 'ipc', 'uts'])
      expect(readlinkSync(`/proc/${pid}/ns/${kind}`)).not.toBe(readlinkSync(`/proc/self/ns/${kind}`));
  });

  it('keep the environment of the tenant from running anything outside', async () => {
    const marker = join(node.home, 'marker');
    const env = { LD_PRELOAD: '/nonexistent/evil.so', BASH_ENV: `$(touch ${marker})`, ENV: `$(touch ${marker})`, PATH: '/usr/bin:/bin' };
    const web = await ok({ component: 'evil-env', env });
    node.control.want(web);
    await node.control.running(web.id);
    expect(() => readFileSync(marker)).toThrow(/ENOENT/);
    expect(node.agentLog()).not.toContain('evil.so');
  });

  it('do not follow a directory that was swapped for a link', async () => {
    const web = await ok({ component: 'swapped' });
    node.control.want(web);
    await node.control.running(web.id);
    node.control.change(web.id, { desired: 'stopped' });
    await node.control.see(web.id, ({ state }) => state === 'stopped');
    const directory = join(node.home, 'tenants/acme/shop/swapped');
    renameSync(join(directory, 'run'), join(directory, 'run.aside'));
    symlinkSync(join(node.home, 'agent'), join(directory, 'run'));
    node.control.change(web.id, { desired: 'running' });
    const seen = await node.control.see(web.id, ({ state }) => state === 'restarting' || state === 'failed');
    expect(seen.message).toMatch(/there is a file or a link/);
    expect(seen).not.toHaveProperty('pid');
  });

  it('refuse a NUL that would smuggle an argument', async () => {
    const web = await ok({ component: 'nul', env: { X: 'a\0--bind\0/\0/mnt' } });
    node.control.want(web);
    const seen = await node.control.see(web.id, ({ state }) => state === 'restarting' || state === 'failed');
    expect(seen.message).toMatch(/NUL/);
  });

  it('show neither secrets nor the environment in process lists', async () => {
    const web = await ok({ component: 'quiet', env: { TOKEN: 'do-not-show-me' } });
    node.control.want(web);
    const { pid = 0 } = await node.control.running(web.id);
    let process = pid;
    while (process > 1) {
      expect(readFileSync(`/proc/${process}/cmdline`, 'utf8')).not.toContain('do-not-show-me');
      process = Number(field(process, 'PPid'));
    }
  });

  if (mode === 'root') {
    it('give each tenant a uid and a directory that others cannot enter', async () => {
      const mine = await ok({ component: 'mine' });
      const theirs = await ok({ component: 'theirs', tenant: { number: 8, slug: 'rival' } });
      node.control.want(mine, theirs);
      expect((await node.control.running(mine.id)).uid).toBe(TENANT_UID_BASE + 7);
      expect((await node.control.running(theirs.id)).uid).toBe(TENANT_UID_BASE + 8);
      expect(await ask(theirs)).toBe('hello');
    });

    it('refuse a directory that another tenant of the same name left', async () => {
      const web = await ok({ tenant: { number: 9, slug: 'acme' }, component: 'heir' });
      node.control.want(web);
      expect((await node.control.see(web.id, ({ state }) => state === 'failed')).message).toMatch(/belongs to another uid/);
    });
  }
});

/** Where the namespaces of the user are used up, as on kernels that forbid them. */
const withoutNamespaces = [
  'unshare',
  '--user',
  '--map-root-user',
  '--',
  'sh',
  '-euc',
  'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"',
  'sh',
];

describe('an agent that is told to do without a sandbox', () => {
  let node: NodeUnderTest;
  beforeAll(async () => {
    node = await NodeUnderTest.open(isRoot ? 'root' : 'rootless');
    await node.start({ HITHE_ISOLATION: 'none' });
  });
  afterAll(() => node.close());

  it('runs nothing, and says so', () => {
    const message = expect.stringMatching(/HITHE_ISOLATION=none/) as unknown;
    expect(node.control.facts?.isolation).toMatchObject({ mode: 'none', ok: false, checks: [{ ok: false, message }] });
  });
});

describe('a machine on which no sandbox can be made', () => {
  let node: NodeUnderTest;
  beforeAll(async () => {
    node = await NodeUnderTest.open(isRoot ? 'root' : 'rootless');
    await node.start({}, withoutNamespaces);
  });
  afterAll(() => node.close());

  it('runs nothing, and says why', async () => {
    expect(node.control.facts?.isolation).toMatchObject({ ok: false });
    const web = await ok();
    node.control.want(web);
    const seen = await node.control.see(web.id, ({ state }) => state === 'failed');
    expect(seen).toMatchObject({ step: 'isolation', message: expect.stringMatching(/does not hold/) });
    await expect(ask(web)).rejects.toThrow();
  });
});
