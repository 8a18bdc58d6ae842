import { createHash } from 'node:crypto';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DownloadCache } from './download-cache.js';

const checksum = { algorithm: 'sha256' as const, hex: createHash('sha256').update('content').digest('hex') };
let base = '';
let cache: DownloadCache;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'cache-'));
  cache = new DownloadCache(base, null);
});
afterEach(() => rm(base, { recursive: true, force: true }));

async function download(content: string): Promise<string> {
  const file = join(await cache.workDirectory(), 'file');
  await writeFile(file, content);
  return file;
}

describe('DownloadCache', () => {
  it('keeps what it was given, by content', async () => {
    expect(await cache.find(checksum)).toBeUndefined();
    const kept = await cache.adopt(await download('content'), checksum, 'thing');
    expect(await cache.find(checksum)).toBe(kept);
  });

  it('refuses a download that is not what was announced', async () => {
    const file = await download('other');
    await expect(cache.adopt(file, checksum, 'thing')).rejects.toMatchObject({ code: 'STORE_DIGEST_MISMATCH' });
    await expect(access(file)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await cache.find(checksum)).toBeUndefined();
  });

  it('throws a damaged file away, and says so', async () => {
    const kept = await cache.adopt(await download('content'), checksum, 'thing');
    await writeFile(kept, 'contenT');
    let damaged = 0;
    expect(await cache.find(checksum, () => (damaged += 1))).toBeUndefined();
    expect(damaged).toBe(1);
    await expect(access(kept)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
