import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { withFileLock } from './file-lock.js';

describe('withFileLock', () => {
  let directory: string;
  let file: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'hithe-lock-'));
    file = join(directory, 'x.lock');
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('lets one work at a time', async () => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 8 }, () => withFileLock(file, work)));
    expect(most).toBe(1);
    await expect(access(file)).rejects.toThrow();
  });

  it('takes over the lock of a process that is gone', async () => {
    const gone = 4_194_305;
    await writeFile(file, `${hostname()} ${gone} abc`);
    expect(await withFileLock(file, () => Promise.resolve('done'))).toBe('done');
  });

  it('gives up, with the file to remove, when another process keeps it', async () => {
    await writeFile(file, `${hostname()} ${process.pid} abc`);
    await expect(withFileLock(file, () => Promise.resolve(), { timeoutMs: 50 })).rejects.toMatchObject({ code: 'CONFIG_LOCKED' });
  });

  it('is released when the work fails', async () => {
    await expect(withFileLock(file, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await withFileLock(file, () => Promise.resolve(1), { timeoutMs: 50 })).toBe(1);
  });
});
