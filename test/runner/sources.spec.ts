import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { DesiredAllocation } from '../../src/link/messages.js';
import { ask, desired, freePort } from './support/desired.js';
import { GitServer } from './support/git-server.js';
import { MODES, NodeUnderTest, isRoot } from './support/node-under-test.js';

// Real processes on a machine that may be busy.
jest.setTimeout(90_000);

const SERVER = (text: string): string =>
  `import { createServer } from 'node:http';
   createServer((q, r) => r.end('${text}')).listen(Number(process.env.PORT), '127.0.0.1');`;

describe.each(MODES)('sources in %s mode', (mode) => {
  let node: NodeUnderTest;
  beforeAll(async () => {
    node = await NodeUnderTest.open(mode);
    await node.start();
  });
  afterAll(() => node.close());

  /** Packs files as the CLI would, for the agent to fetch. */
  function archive(files: Record<string, string>, alter: (bytes: Buffer) => Buffer = (bytes) => bytes): string {
    const directory = mkdtempSync(join(tmpdir(), 'hithe-source-'));
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(join(directory, name, '..'), { recursive: true });
      writeFileSync(join(directory, name), content);
    }
    const bytes = execFileSync('tar', ['-czf', '-', '-C', directory, '.']);
    rmSync(directory, { recursive: true });
    const digest = `sha256-${createHash('sha256').update(bytes).digest('hex')}`;
    writeFileSync(join(node.sources, digest), alter(bytes));
    return digest;
  }

  const app = async (digest: string, patch: Partial<DesiredAllocation> = {}): Promise<DesiredAllocation> =>
    desired({
      port: 'builds',
      source: { kind: 'archive', digest },
      listen: { http: { address: '127.0.0.1', port: await freePort() } },
      ...patch,
    });
  const releases = (component: string): string[] => readdirSync(join(node.home, 'tenants/acme/shop', component, 'releases'));

  it('are fetched, unpacked, built and served', async () => {
    const web = await app(archive({ 'server.mjs': SERVER('built'), 'deep/er/file': 'x' }));
    node.control.want(web);
    await node.control.running(web.id);
    expect(await ask(web)).toBe('built');
    expect(node.control.progress).toEqual(expect.arrayContaining(['fetch-source: unpacking the source', 'build: building']));
    expect(existsSync(join(node.home, 'tenants/acme/shop/builds/source/deep/er/file'))).toBe(true);
  });

  it('are built once, beside the running release, and again only when something changed', async () => {
    const digest = archive({ 'server.mjs': SERVER('first') });
    const first = await app(digest, { component: 'app' });
    node.control.want(first);
    await node.control.running(first.id);
    expect(releases('app')).toHaveLength(1);
    node.control.progress.length = 0;
    const same = { ...(await app(digest, { component: 'app' })), desired: 'prepared' as const };
    node.control.want(first, same);
    await node.control.see(same.id, ({ state }) => state === 'prepared');
    expect(node.control.progress).not.toContain('build: building');
    const other = { ...(await app(archive({ 'server.mjs': SERVER('second') }), { component: 'app' })), desired: 'prepared' as const };
    node.control.want(first, same, other);
    await node.control.see(other.id, ({ state }) => state === 'prepared');
    expect(releases('app')).toHaveLength(2);
    expect(await ask(first)).toBe('first');
  });

  it('that do not build fail with step, exit code and last lines, and leave the old release alone', async () => {
    const good = await app(archive({ 'server.mjs': SERVER('good') }), { component: 'robust' });
    node.control.want(good);
    const { pid } = await node.control.running(good.id);
    const bad = {
      ...(await app(archive({ 'server.mjs': SERVER('bad'), fail: '' }), { component: 'robust' })),
      desired: 'prepared' as const,
    };
    node.control.want(good, bad);
    const seen = await node.control.see(bad.id, ({ state }) => state === 'failed');
    expect(seen).toMatchObject({ step: 'build', exit: { code: 1 } });
    expect(seen.logTail).toEqual(['building', 'error: the source says that this build fails']);
    expect(await node.control.running(good.id)).toMatchObject({ pid });
    expect(await ask(good)).toBe('good');
  });

  it('are shared by components that want the same one at the same moment', async () => {
    const digest = archive({ 'server.mjs': SERVER('shared'), filler: randomBytes(600_000).toString('base64') });
    const twins = await Promise.all(['twin-a', 'twin-b', 'twin-c', 'twin-d'].map((component) => app(digest, { component })));
    node.control.want(...twins);
    for (const twin of twins) {
      await node.control.running(twin.id);
      expect(await ask(twin)).toBe('shared');
    }
  });

  it('that were altered on the way are refused', async () => {
    const web = await app(
      archive({ 'server.mjs': SERVER('x') }, (bytes) => Buffer.concat([bytes, Buffer.from('!')])),
      { component: 'altered' },
    );
    node.control.want(web);
    const seen = await node.control.see(web.id, ({ state }) => state === 'failed');
    expect(seen).toMatchObject({ step: 'fetch-source', message: expect.stringMatching(/has the digest/) });
  });

  it('that are not there say so', async () => {
    const web = await app(`sha256-${'0'.repeat(64)}`, { component: 'absent' });
    node.control.want(web);
    expect((await node.control.see(web.id, ({ state }) => state === 'failed')).message).toMatch(/answered 404/);
  });

  it.each(['file:///etc', 'ext::sh -c id', '--upload-pack=id'])('of git at %s are refused', async (url) => {
    const web = await app('', { component: 'git', source: { kind: 'git', url, ref: 'main' } });
    node.control.want(web);
    const seen = await node.control.see(web.id, ({ state }) => state === 'failed');
    expect(seen).toMatchObject({ step: 'fetch-source', message: expect.stringMatching(/not the address of a git repository/) });
  });

  it("never leave the agent's own directory open to a tenant", () => {
    expect(readFileSync(join(node.home, 'agent/node.json'), 'utf8')).toContain(node.control.credential);
    expect(readdirSync(join(node.home, 'agent/sources'))).toEqual([]);
  });
});

describe('git sources', () => {
  let node: NodeUnderTest;
  let git: GitServer;
  let directory: string;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'hithe-git-'));
    git = await GitServer.listen(directory);
    node = await NodeUnderTest.open(isRoot ? 'root' : 'rootless');
    await node.start({ HITHE_BUILD_ENV: `GIT_SSL_CAINFO=${git.certificate}` });
  });
  afterAll(async () => {
    await node.close();
    await git.close();
    rmSync(directory, { recursive: true });
  });

  const app = async (component: string, url: string, ref = 'main'): Promise<DesiredAllocation> =>
    desired({
      port: 'builds',
      component,
      source: { kind: 'git', url, ref },
      listen: { http: { address: '127.0.0.1', port: await freePort() } },
    });

  it('are fetched over https, by branch and by commit, and their hooks do not run', async () => {
    const old = git.commit('app', { 'server.mjs': SERVER('old') });
    const head = git.commit('app', { 'server.mjs': SERVER('new') });
    const byBranch = await app('branch', git.url('app/.git'));
    const byCommit = await app('commit', git.url('app/.git'), old);
    node.control.want(byBranch, byCommit);
    expect(await node.control.running(byBranch.id)).toMatchObject({ commit: head });
    expect(await ask(byBranch)).toBe('new');
    expect(await node.control.running(byCommit.id)).toMatchObject({ commit: old });
    expect(await ask(byCommit)).toBe('old');
  });

  it('look at a branch anew for each allocation', async () => {
    git.commit('moving', { 'server.mjs': SERVER('one') });
    const first = await app('moving', git.url('moving/.git'));
    node.control.want(first);
    await node.control.running(first.id);
    const next = git.commit('moving', { 'server.mjs': SERVER('two') });
    const second = { ...(await app('moving', git.url('moving/.git'))), desired: 'prepared' as const };
    node.control.want(first, second);
    expect(await node.control.see(second.id, ({ state }) => state === 'prepared')).toMatchObject({ commit: next });
    expect(await ask(first)).toBe('one');
  });

  it('follow no redirect', async () => {
    git.commit('target', { 'server.mjs': SERVER('x') });
    const web = await app('redirected', git.url('redirect/target/.git'));
    node.control.want(web);
    const seen = await node.control.see(web.id, ({ state }) => state === 'failed');
    expect(seen).toMatchObject({ step: 'fetch-source', exit: { code: 128 } });
    expect(seen.logTail?.join(' ')).toMatch(/302|redirect/);
  });

  it('say that there is no such branch', async () => {
    git.commit('branches', { 'server.mjs': SERVER('x') });
    const web = await app('branchless', git.url('branches/.git'), 'no-such-branch');
    node.control.want(web);
    expect((await node.control.see(web.id, ({ state }) => state === 'failed')).message).toMatch(/couldn't find remote ref no-such-branch/);
  });
});
