import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from './support/eventually.js';
import { Installation, ROOT } from './support/installation.js';
import { Requests } from './support/requests.js';
import { addressOf, componentOf, pidsOf, type StatusShape } from './support/shapes.js';

jest.setTimeout(600_000);

describe('the guestbook, from the first start', () => {
  let hithe: Installation;
  let page: string;
  const status = (): Promise<StatusShape> => hithe.json<StatusShape>(['status', 'guestbook']);
  const html = async (): Promise<string> => (await fetch(page)).text();

  beforeAll(async () => {
    hithe = await Installation.create();
    await hithe.start();
    await hithe.login();
  });
  afterAll(() => hithe.dispose());

  it('is deployed and healthy, and its page shows data of PostgreSQL and Valkey', async () => {
    const found = await status();
    expect(found).toMatchObject({ state: 'running', health: 'healthy', release: 1 });
    page = addressOf(found, 'web');
    const signed = await fetch(`${page}/sign`, {
      method: 'POST',
      body: new URLSearchParams({ name: 'Ada <b>', message: 'Hello & welcome' }),
    });
    expect(signed.status).toBe(200);
    const text = await html();
    expect(text).toContain('<b>Ada &lt;b&gt;</b>');
    expect(text).toContain('Hello &amp; welcome');
    const visits = async (): Promise<number> => Number(/counted in Valkey<\/dt><dd>(\d+)/.exec(await html())?.[1]);
    const before = await visits();
    expect(await visits()).toBe(before + 1);
    expect(await (await fetch(`${page}/healthz`)).json()).toEqual({ ok: true, database: 'ok', cache: 'ok' });
  });

  it('shows a new request in `logs -f` of the project', async () => {
    const logs = hithe.follow(['logs', '-f', '-n', '0', 'guestbook']);
    try {
      // The stream is open once any request shows.
      await eventually('a request shows in the log', 20, async () => {
        await fetch(`${page}/?probe`);
        return logs.lines.some((line) => line.includes('probe'));
      });
      await fetch(`${page}/?marked`);
      await eventually('the marked request shows', 5, () =>
        Promise.resolve(logs.lines.some((line) => /^web +\| GET \/\?marked 200/.test(line))),
      );
    } finally {
      logs.end();
    }
  });

  it('tells the truth while a component is stopped, and is healed by starting it', async () => {
    const before = pidsOf(await status());
    await hithe.ok(['stop', 'guestbook', 'cache']);
    const ill = await hithe.hithe(['health', 'guestbook']);
    expect(ill.code).toBe(1);
    expect(ill.stdout).toMatch(/cache +(unknown|unhealthy|stopped)/);
    expect(componentOf(await status(), 'cache').state).toBe('stopped');
    expect((await fetch(page)).status).toBe(200);
    await hithe.ok(['start', 'guestbook', 'cache']);
    await eventually('the guestbook is healthy again', 60, async () => (await hithe.hithe(['health', 'guestbook'])).code === 0);
    const after = pidsOf(await status());
    expect(after).toMatchObject({ db: before['db'], web: before['web'] });
    expect(after['cache']).not.toBe(before['cache']);
  });

  it('stops and starts as a whole, and keeps its entries', async () => {
    await hithe.ok(['stop', 'guestbook']);
    const stopped = await status();
    expect(stopped.components.map(({ state }) => state)).toEqual(['stopped', 'stopped', 'stopped']);
    await expect(fetch(page)).rejects.toThrow();
    await hithe.ok(['start', 'guestbook']);
    page = addressOf(await status(), 'web');
    expect(await html()).toContain('Hello &amp; welcome');
  });

  it('survives a restart of its database', async () => {
    await hithe.ok(['restart', 'guestbook', 'db']);
    await eventually('the page shows the entries again', 30, async () => (await html()).includes('Hello &amp; welcome'));
  });

  describe.each([
    ['the agent', ['agent']],
    ['the control plane', ['control-plane']],
    ['both', ['agent', 'control-plane']],
  ] as const)('when %s is killed', (_what, services) => {
    it('runs on with the same processes, fails no request, and is manageable again', async () => {
      const before = pidsOf(await status());
      const requests = new Requests(page);
      try {
        const old = await Promise.all(services.map((service) => hithe.pidOf(service)));
        for (const pid of old) process.kill(pid, 'SIGKILL');
        await eventually('the launcher has started them again', 60, async () => {
          const now = await Promise.all(services.map((service) => hithe.pidOf(service)));
          return now.every((pid, index) => pid !== old[index]);
        });
        await eventually('Hithe is whole again', 60, async () => {
          const health = await fetch(`${hithe.url}/api/v1/health`, { signal: AbortSignal.timeout(2_000) });
          return health.ok && (await hithe.hithe(['health', 'guestbook'])).code === 0;
        });
      } finally {
        await requests.stop();
      }
      expect(requests.failures).toEqual([]);
      expect(requests.answered).toBeGreaterThan(0);
      expect(pidsOf(await status())).toEqual(before);
      await hithe.ok(['restart', 'guestbook', 'web']);
      expect(pidsOf(await status())['web']).not.toBe(before['web']);
      page = addressOf(await status(), 'web');
    });
  });

  describe('a new release', () => {
    let directory: string;
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'hithe-guestbook-'));
      await cp(join(ROOT, 'examples/guestbook'), directory, { recursive: true, filter: (path) => !path.includes('node_modules') });
    });
    afterAll(() => rm(directory, { recursive: true }));

    const edit = async (change: (text: string) => string): Promise<void> => {
      const file = join(directory, 'app/page.js');
      await writeFile(file, change(await readFile(file, 'utf8')));
    };

    it('replaces only what changed', async () => {
      const before = pidsOf(await status());
      await edit((text) => text.replaceAll('The guestbook', 'The second edition'));
      const plan = await hithe.json<{ ok: boolean; changes: { component: string; action: string }[] }>(['plan', '-f', directory]);
      expect(Object.fromEntries(plan.changes.map(({ component, action }) => [component, action]))).toEqual({
        db: 'none',
        cache: 'none',
        web: 'update',
      });
      await hithe.ok(['deploy', '-f', directory]);
      page = addressOf(await status(), 'web');
      expect(await html()).toContain('The second edition');
      const after = pidsOf(await status());
      expect(after).toMatchObject({ db: before['db'], cache: before['cache'] });
      expect(after['web']).not.toBe(before['web']);
    });

    it('that is broken leaves the old one running, and says why', async () => {
      await edit((text) => `import './not-there.js';\n${text}`);
      const failed = await hithe.hithe(['deploy', '-f', directory]);
      expect(failed.code).toBe(1);
      expect(failed.stderr).toContain('not-there.js');
      expect(failed.stderr).toMatch(/web: \w+/);
      expect(failed.stderr).toContain('mend:');
      await eventually('the second edition answers', 60, async () => (await html()).includes('The second edition'));
      expect(await status()).toMatchObject({ release: 2 });
    });
  });

  it('is still there after a stop that leaves components running, with the same processes', async () => {
    const before = pidsOf(await status());
    await hithe.stop('SIGTERM');
    expect(await html()).toContain('The second edition');
    await hithe.start();
    await eventually('the guestbook is healthy', 60, async () => (await hithe.hithe(['health', 'guestbook'])).code === 0);
    expect(pidsOf(await status())).toEqual(before);
  });
});
