import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf } from '../../bin/lib/digest.mjs';
import { isFree, whoListens } from '../../bin/lib/listeners.mjs';
import { Lock } from '../../bin/lib/lock.mjs';
import { writePrivately } from '../../bin/lib/private-file.mjs';
import { isRunning, startTimeOf } from '../../bin/lib/process-identity.mjs';
import { Service } from '../../bin/lib/service.mjs';
import { until } from '../support/until.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp('/tmp/hithe-launcher-');
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe('Lock', () => {
  it('is held by one, and free again when that one lets go', async () => {
    const file = join(directory, 'lock');
    const first = await Lock.take(file);
    expect(first).toBeDefined();
    expect(await Lock.take(file)).toBeUndefined();
    first?.release();
    const second = await Lock.wait(file, () => undefined);
    expect(second).toBeDefined();
    second?.release();
  });

  it('is free again when its holder is killed', async () => {
    const file = join(directory, 'lock');
    const module = pathToFileURL(join(import.meta.dirname, '../../bin/lib/lock.mjs')).href;
    const program = `const { Lock } = await import('${module}'); await Lock.take('${file}'); console.log('held'); setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(holder.stdout, 'data');
    expect(await Lock.take(file)).toBeUndefined();
    holder.kill('SIGKILL');
    const lock = await Lock.wait(file, () => undefined);
    expect(lock).toBeDefined();
    lock?.release();
  });
});

describe('Service', () => {
  const services: Service[] = [];
  afterEach(async () => {
    await Promise.all(services.splice(0).map((service) => service.stop('SIGKILL')));
  });

  function service(script: string, version = '1'): Service {
    const made = new Service({
      name: 'thing',
      title: 'The thing',
      directory,
      log: join(directory, 'thing.log'),
      command: ['sh', '-c', script],
      env: { PATH: process.env['PATH'] },
      version,
    });
    services.push(made);
    return made;
  }

  it('is adopted by a later launcher, and replaced when its version is another', async () => {
    const first = service('exec sleep 600');
    expect(await first.ensureRunning()).toBe('started');
    const second = service('exec sleep 600');
    expect(await second.ensureRunning()).toBe('adopted');
    expect(second.identity?.pid).toBe(first.identity?.pid);
    const newer = service('exec sleep 600', '2');
    expect(await newer.ensureRunning()).toBe('replaced');
    expect(first.isRunning()).toBe(false);
    expect(newer.isRunning()).toBe(true);
  });

  it('is not confused by a pid that belongs to another process by now', async () => {
    const thing = service('exec sleep 600');
    await writeFile(join(directory, 'thing.json'), JSON.stringify({ pid: process.pid, startTime: '1', version: '1' }));
    expect(await thing.ensureRunning()).toBe('started');
    expect(thing.identity?.pid).not.toBe(process.pid);
  });

  it('is started again when it dies, and not after it was stopped', async () => {
    const thing = service('exec sleep 600');
    await thing.ensureRunning();
    const before = thing.identity?.pid ?? 0;
    const events: string[] = [];
    const supervision = thing.supervise((text: string) => events.push(text));
    process.kill(before, 'SIGKILL');
    await until(() => thing.isRunning() && thing.identity?.pid !== before);
    expect(events[0]).toContain('The thing ended');
    await thing.stop();
    await supervision;
    expect(thing.isRunning()).toBe(false);
  });

  it('is killed when it does not listen', async () => {
    const thing = service('trap "" TERM; echo deaf; while :; do sleep 1; done');
    await thing.ensureRunning();
    await until(async () => (await readFile(join(directory, 'thing.log'), 'utf8')).includes('deaf'));
    await thing.stop('SIGTERM', 50);
    expect(thing.isRunning()).toBe(false);
  });

  it('fails with the end of its log when it ends instead of becoming ready', async () => {
    const thing = service('echo "no database" >&2; exit 3');
    await thing.ensureRunning();
    await expect(thing.waitFor(() => Promise.resolve(false), 'it answered', 60_000)).rejects.toThrow(
      /ended before it answered[^]*no database/,
    );
  });
});

describe('process identity', () => {
  it('tells a process from a later one with the same pid, and a zombie from a living one', () => {
    const own = { pid: process.pid, startTime: startTimeOf(process.pid) };
    expect(isRunning(own)).toBe(true);
    expect(isRunning({ ...own, startTime: '1' })).toBe(false);
    expect(isRunning({ pid: 2 ** 22 + 1, startTime: undefined })).toBe(false);
  });
});

describe('listeners', () => {
  it('names who holds a network port', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no address');
    expect(await isFree('127.0.0.1', address.port)).toBe(false);
    expect(await whoListens(address.port)).toMatchObject({ pid: process.pid });
    await new Promise((resolve) => server.close(resolve));
    expect(await isFree('127.0.0.1', address.port)).toBe(true);
  });
});

describe('files', () => {
  it('changes a digest with a name or a content, not with what is generated', async () => {
    await mkdir(join(directory, 'src/node_modules/x'), { recursive: true });
    await writeFile(join(directory, 'src/a.ts'), 'a');
    const before = await digestOf(directory, ['src', 'absent.json']);
    await writeFile(join(directory, 'src/node_modules/x/index.js'), 'generated');
    expect(await digestOf(directory, ['src', 'absent.json'])).toBe(before);
    await writeFile(join(directory, 'src/a.ts'), 'b');
    expect(await digestOf(directory, ['src', 'absent.json'])).not.toBe(before);
  });

  it('writes secrets that only the owner reads', async () => {
    const file = join(directory, 'secret.json');
    await writePrivately(file, { password: 'x' });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });
});
