import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Header } from 'tar';
import { checkArchive } from './archive-check.js';

type Entry = {
  path: string;
  type?: 'File' | 'Directory' | 'SymbolicLink' | 'Link' | 'FIFO' | 'CharacterDevice';
  linkpath?: string;
  content?: string;
};

function archive(entries: Entry[]): Buffer {
  const blocks = entries.flatMap(({ path, type = 'File', linkpath = '', content = '' }) => {
    const header = Buffer.alloc(512);
    new Header({ path, type, linkpath, size: content.length, mode: 0o644 }).encode(header);
    const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
    body.write(content);
    return [header, body];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

describe('checkArchive', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'hithe-archive-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const check = (bytes: Buffer, limits?: { entries: number; size: number }): Promise<void> => {
    const path = join(directory, 'a.tar.gz');
    writeFileSync(path, bytes);
    return checkArchive(path, limits);
  };

  it('accepts files, directories and links among them', async () => {
    const entries: Entry[] = [
      { path: './', type: 'Directory' },
      { path: 'a/b.txt', content: 'hello' },
      { path: 'a/link', type: 'SymbolicLink', linkpath: '../c' },
      { path: 'c', content: 'x' },
      { path: 'd', type: 'Link', linkpath: 'a/b.txt' },
    ];
    await expect(check(archive(entries))).resolves.toBeUndefined();
  });

  it.each<[string, Entry[]]>([
    ['a name with ..', [{ path: 'a/../../x', content: '1' }]],
    ['an absolute name', [{ path: '/etc/passwd', content: '1' }]],
    ['a link to the outside', [{ path: 'a', type: 'SymbolicLink', linkpath: '../x' }]],
    ['an absolute link', [{ path: 'a', type: 'SymbolicLink', linkpath: '/etc' }]],
    ['a hard link to the outside', [{ path: 'a', type: 'Link', linkpath: '../../etc/shadow' }]],
    [
      'a file below a link',
      [
        { path: 'a', type: 'SymbolicLink', linkpath: 'b' },
        { path: 'a/c', content: '1' },
      ],
    ],
    ['a pipe', [{ path: 'a', type: 'FIFO' }]],
    ['a device', [{ path: 'a', type: 'CharacterDevice' }]],
  ])('refuses %s', async (_what, entries) => {
    await expect(check(archive(entries))).rejects.toMatchObject({ code: 'ARCHIVE_REFUSED' });
  });

  it('refuses what unpacks to too much, or too many', async () => {
    const bomb = archive([{ path: 'zeros', content: '\0'.repeat(5_000_000) }]);
    expect(bomb.length).toBeLessThan(10_000);
    await expect(check(bomb, { entries: 10, size: 1_000_000 })).rejects.toMatchObject({ code: 'ARCHIVE_REFUSED' });
    const many = archive(Array.from({ length: 11 }, (_, index) => ({ path: `f${index}` })));
    await expect(check(many, { entries: 10, size: 1_000_000 })).rejects.toMatchObject({ code: 'ARCHIVE_REFUSED' });
  });

  it('refuses what is no archive', async () => {
    await expect(check(Buffer.from('not an archive at all'))).rejects.toMatchObject({ code: 'ARCHIVE_REFUSED' });
  });
});
