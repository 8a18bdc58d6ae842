import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import { PortCatalogue } from '../../src/modules/ports/catalogue/port-catalogue.js';
import { removeTree } from '../../src/modules/runner/store/closure-builder.js';
import { ownerCommand } from '../../src/modules/runner/store/command.js';
import { Store } from '../../src/modules/runner/store/store.js';
import type { RunSetup, StoreOwner } from '../../src/modules/runner/store/store.types.js';
import type { StoreProcessResult, StoreProcessTask } from './store-process.js';

const exec = promisify(execFile);
const isRoot = process.geteuid?.() === 0;
const FILE = 'the content of a tool';
const SUITE = 'trixie';

let base = '';
let ports = '';
let cacheDir = '';
let owner: StoreOwner = null;
let program = '';
let server: Server;
let address = '';

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'hithe-store-'));
  await chmod(base, 0o755);
  ports = join(base, 'ports');
  cacheDir = join(base, 'cache');
  if (isRoot) {
    const { uid, gid } = await stat(process.env['HITHE_STORE'] ?? '');
    owner = { uid, gid };
  }
  server = createServer((_request, response) => response.end(FILE));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tool`;
  program = join(base, 'store-process.cjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'store-process.ts')],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    packages: 'external',
    outfile: program,
  });
});

afterAll(async () => {
  server.close();
  await exec('chmod', ['-R', 'u+w', base]);
  await rm(base, { recursive: true, force: true });
});

const small = { debian: { suite: SUITE, packages: ['dash'] } };

async function port(name: string, closures: Record<string, unknown>, scripts: Record<string, string> = {}): Promise<void> {
  await mkdir(join(ports, name), { recursive: true });
  const manifest = { name, title: name, description: name, category: 'test', hithe: { kind: 'toolchain', closures } };
  await writeFile(join(ports, name, 'manifest.json'), JSON.stringify(manifest));
  for (const [file, text] of Object.entries(scripts)) await writeFile(join(ports, name, file), text);
}

async function openStore(storeDir: string, runSetup: RunSetup = () => Promise.resolve()): Promise<Store> {
  return Store.open({ catalogue: await PortCatalogue.load([ports]), storeDir: join(base, storeDir), cacheDir, owner, runSetup });
}

async function run(command: string, args: string[]): Promise<string> {
  const { stdout } = await exec(command, args);
  return stdout.trim();
}

function task(storeDir: string, name: string, hang = false): StoreProcessTask {
  return {
    ports,
    storeDir: join(base, storeDir),
    cacheDir,
    owner,
    port: name,
    version: '1',
    setupMark: join(base, `${storeDir}.setups`),
    hang,
  };
}

/** Starts a process that asks a store for an entry; `prefix` is a command that starts it, such as `unshare -n`. */
function start(work: StoreProcessTask, prefix: string[] = []): { child: ChildProcess; result: Promise<StoreProcessResult> } {
  const [command, ...args] = [...prefix, process.execPath, program, JSON.stringify(work)];
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_PATH: join(import.meta.dirname, '../../node_modules') },
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const result = new Promise<StoreProcessResult>((resolve, reject) => {
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(Buffer.concat(stdout).toString()) as StoreProcessResult);
      else reject(new Error(`ended with ${String(code)}: ${Buffer.concat(stderr).toString()}`));
    });
  });
  return { child, result };
}

async function waitFor(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within a minute: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const lines = (path: string): Promise<number> =>
  readFile(path, 'utf8').then(
    (text) => text.trim().split('\n').length,
    () => 0,
  );

describe('an entry of the store', () => {
  it('is made of Debian packages, npm packages, files and what setup.sh makes, and is read-only', async () => {
    const digest = `sha256-${createHash('sha256').update(FILE).digest('base64')}`;
    const closure = {
      debian: { suite: SUITE, packages: ['dash', 'adduser'], omit: ['passwd'] },
      npm: { semver: '7.7.1' },
      url: { [address]: digest },
      exclude: ['usr/share/debianutils', 'usr/lib/node_modules/semver/range.bnf'],
      links: { '/usr/bin/vi': 'sh' },
    };
    await port('whole', { '1': closure }, { 'setup.sh': 'exit 0', 'README.md': 'words' });
    const seen: string[] = [];
    const store = await openStore('whole', async ({ entry, port: name }) => {
      seen.push(name);
      await exec(...shell(`echo made >"${entry.prefix}/made" && chmod 4755 "${entry.prefix}/made"`));
    });
    const progress: string[] = [];
    expect(await store.find('whole', '1', {})).toBeUndefined();
    const entry = await store.ensure('whole', '1', {}, { onProgress: (line) => progress.push(line) });

    expect(progress.join('\n')).toMatch(/downloading \d+ of \d+ packages of Debian trixie, [\d.]+ MB/);
    expect(await run('bwrap', ['--unshare-user', '--ro-bind', entry.root, '/', '--', '/bin/sh', '-c', 'echo it works'])).toBe('it works');
    expect(await readlink(join(entry.root, 'lib'))).toBe('usr/lib');
    expect(await readlink(join(entry.root, 'usr/bin/vi'))).toBe('sh');
    expect(await readlink(join(entry.root, 'usr/bin/semver'))).toBe('../../usr/lib/node_modules/semver/bin/semver.js');
    expect(await readFile(join(entry.root, 'opt/tool/tool'), 'utf8')).toBe(FILE);
    for (const left of ['usr/share/doc', 'usr/share/debianutils', 'usr/lib/node_modules/semver/range.bnf', 'usr/sbin/useradd']) {
      await expect(stat(join(entry.root, left))).rejects.toMatchObject({ code: 'ENOENT' });
    }
    const names = entry.packages.map((each) => each.name);
    expect(names).toEqual(expect.arrayContaining(['dash', 'adduser', 'libc6', 'semver', 'tool']));
    expect(names).not.toContain('passwd');
    expect(entry.resolvedVersion).toBe('7.7.1');
    expect(entry.packages.every((each) => /^sha(256|512)-\S+$/.test(each.digest))).toBe(true);

    expect(seen).toEqual(['whole']);
    expect(await readFile(join(entry.prefix, 'made'), 'utf8')).toBe('made\n');
    expect(await readdir(join(entry.scriptsDir, 'whole'))).toEqual(['manifest.json', 'setup.sh']);
    const writable = ['-L', entry.path, '(', '-perm', '/222', '-o', '-perm', '/7000', ')', '-not', '-type', 'l', '-print'];
    expect(await run('find', writable)).toBe('');
    await expect(exec(...shell(`echo x >>"${entry.root}/usr/bin/dash"`))).rejects.toThrow(/Permission denied/);
    await expect(exec(...shell(`echo x >"${entry.path}/new"`))).rejects.toThrow(/Permission denied/);
    expect(await store.find('whole', '1', {})).toEqual(entry);
    expect(await store.get(entry.digest)).toEqual(entry);
    expect(await store.get(`sha256-${'0'.repeat(64)}`)).toBeUndefined();
  });

  it('can be removed by the account that owns it, read-only as it is', async () => {
    await port('removed', { '1': small }, { 'setup.sh': 'exit 0' });
    const store = await openStore('removed');
    const entry = await store.ensure('removed', '1', {});
    await removeTree(entry.path, { owner });
    await removeTree(entry.path, { owner });
    expect(await store.find('removed', '1', {})).toBeUndefined();
    expect(await stat(join(entry.root, 'usr/bin/dash'))).toBeDefined();
    expect((await store.ensure('removed', '1', {})).digest).toBe(entry.digest);
  });

  it('shares its closure with an entry of changed scripts', async () => {
    await port('scripts', { '1': small }, { 'start.sh': 'exec one' });
    const first = await (await openStore('scripts')).ensure('scripts', '1', {});
    await port('scripts', { '1': small }, { 'start.sh': 'exec two' });
    const progress: string[] = [];
    const second = await (await openStore('scripts')).ensure('scripts', '1', {}, { onProgress: (line) => progress.push(line) });
    expect(second.digest).not.toBe(first.digest);
    expect(second.root).toBe(first.root);
    expect(progress).toEqual([]);
    expect(await readFile(join(first.scriptsDir, 'scripts/start.sh'), 'utf8')).toBe('exec one');
  });
});

describe('building', () => {
  it('happens once when several processes ask at once', async () => {
    await port('crowd', { '1': small }, { 'setup.sh': 'exit 0' });
    const results = await Promise.all([1, 2, 3].map(() => start(task('crowd', 'crowd')).result));
    expect(new Set(results.map((result) => result.path)).size).toBe(1);
    expect(await lines(join(base, 'crowd.setups'))).toBe(1);
    expect(results.filter((result) => result.progress.some((line) => line.startsWith('installed')))).toHaveLength(1);
    expect(await readdir(join(base, 'crowd/.building'))).toEqual([]);
  });

  it('starts afresh after a builder was killed', async () => {
    await port('killed', { '1': small }, { 'setup.sh': 'exit 0' });
    const { child, result } = start(task('killed', 'killed', true));
    await waitFor('setup.sh of the first builder runs', async () => (await lines(join(base, 'killed.setups'))) > 0);
    child.kill('SIGKILL');
    await expect(result).rejects.toThrow('ended with null');
    expect(await readdir(join(base, 'killed/.building'))).toHaveLength(1);
    expect(await (await openStore('killed')).find('killed', '1', {})).toBeUndefined();
    const second = await start(task('killed', 'killed')).result;
    expect(second.error).toBeUndefined();
    expect(await readdir(join(base, 'killed/.building'))).toEqual([]);
  });

  it('leaves nothing behind when it is aborted or setup.sh fails', async () => {
    await port('aborted', { '1': small }, { 'setup.sh': 'exit 0' });
    const controller = new AbortController();
    const aborted = openStore('aborted', ({ signal }) => {
      controller.abort();
      signal?.throwIfAborted();
      return Promise.resolve();
    });
    await expect((await aborted).ensure('aborted', '1', {}, { signal: controller.signal })).rejects.toThrow('aborted');
    const failing = await openStore('aborted', () => Promise.reject(new Error('exit code 3')));
    await expect(failing.ensure('aborted', '1', {})).rejects.toThrow('exit code 3');
    expect(await readdir(join(base, 'aborted/.building'))).toEqual([]);
    expect(await failing.find('aborted', '1', {})).toBeUndefined();
  });
});

describe('the cache', () => {
  const offline = isRoot ? ['unshare', '--net'] : ['unshare', '--net', '--map-root-user'];

  it('lets a closure be built without network, and the error says what is missing otherwise', async () => {
    await port('cached', { '1': { ...small, npm: { semver: '7.7.1' } } });
    await (await openStore('online')).ensure('cached', '1', {});
    const again = await start(task('offline', 'cached'), offline).result;
    expect(again.error).toBeUndefined();
    await port('absent', { '1': { debian: { suite: SUITE, packages: ['sl'] } } });
    await port('absent-npm', { '1': { npm: { 'left-pad': '1.3.0' } } });
    for (const name of ['absent', 'absent-npm']) {
      const { error } = await start(task('offline', name), offline).result;
      expect(error).toMatchObject({ code: 'STORE_NETWORK' });
      expect(error?.fix).toMatch(/Check that the node reaches/);
    }
    expect(await readdir(join(base, 'offline/.building'))).toEqual([]);
  });

  it('notices a damaged file and fetches it again', async () => {
    await port('damaged', { '1': small });
    const first = await (await openStore('damaged-1')).ensure('damaged', '1', {});
    const dash = first.packages.find((each) => each.name === 'dash');
    const file = join(cacheDir, 'files', dash?.digest ?? '');
    await writeFile(file, (await readFile(file)).fill(0, 1000, 1010));
    const progress: string[] = [];
    await (await openStore('damaged-2')).ensure('damaged', '1', {}, { onProgress: (line) => progress.push(line) });
    expect(progress.join('\n')).toMatch(/warning: the cached dash_\S+ is damaged; it is fetched again/);
    expect(
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    ).toBe(dash?.digest.slice('sha256-'.length));
  });
});

describe('a closure that cannot be', () => {
  it.each([
    [
      'an unknown Debian package',
      { debian: { suite: SUITE, packages: ['dash', 'no-such-package'] } },
      'STORE_PACKAGE_UNKNOWN',
      'no-such-package',
    ],
    ['an unknown suite', { debian: { suite: 'nosuchsuite', packages: ['dash'] } }, 'STORE_SUITE_UNKNOWN', 'nosuchsuite'],
    ['an unknown npm version', { npm: { semver: '^999' } }, 'STORE_PACKAGE_UNKNOWN', 'semver@^999'],
    ['an unreachable address', { url: { 'http://127.0.0.1:9/tool.tgz': `sha256-${'0'.repeat(64)}` } }, 'STORE_NETWORK', '127.0.0.1:9'],
    ['a digest that is none', { url: { 'http://127.0.0.1:9/tool.tgz': 'sha256-0' } }, 'STORE_DIGEST_INVALID', 'tool.tgz'],
  ])('%s', async (_what, closure, code, named) => {
    await port('impossible', { '1': closure });
    const store = await openStore('impossible');
    const failure = store.ensure('impossible', '1', {});
    await expect(failure).rejects.toMatchObject({ code });
    await expect(failure).rejects.toThrow(named);
    await expect(failure).rejects.toHaveProperty('fix', expect.stringMatching(/\S+/));
    expect(await readdir(join(base, 'impossible/.building'))).toEqual([]);
  });

  (isRoot ? it : it.skip)('a disk that is full', async () => {
    const disk = join(base, 'full');
    await mkdir(disk);
    await exec('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=0755', 'tmpfs', disk]);
    try {
      await port('large', { '1': small });
      const failure = (await openStore('full')).ensure('large', '1', {});
      await expect(failure).rejects.toMatchObject({ code: 'STORE_DISK_FULL' });
      await expect(failure).rejects.toHaveProperty('fix', expect.stringContaining('HITHE_STORE'));
      expect(await readdir(join(disk, '.building'))).toEqual([]);
    } finally {
      await exec('umount', [disk]);
    }
  });

  it('a file that is not what was declared', async () => {
    await port('altered', { '1': { url: { [address]: `sha256-${'0'.repeat(64)}` } } });
    await expect((await openStore('altered')).ensure('altered', '1', {})).rejects.toMatchObject({ code: 'STORE_DIGEST_MISMATCH' });
  });
});

/** A shell command as the store's account. */
function shell(script: string): [string, string[]] {
  const [command, ...args] = ownerCommand(['sh', '-c', script], owner);
  return [command, args];
}
