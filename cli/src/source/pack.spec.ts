import { execFile } from 'node:child_process';
import { chmod, link, mkdir, mkdtemp, readFile, readlink, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { list } from 'tar';
import { packSource } from './pack.js';
import { walkSource } from './walk.js';

describe('packSource', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'hithe-pack-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const put = async (files: Record<string, string>): Promise<void> => {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(directory, name)), { recursive: true });
      await writeFile(join(directory, name), text);
    }
  };
  const namesIn = async (root: string): Promise<string[]> => (await walkSource(root, './app')).map(({ path }) => path);
  const entriesOf = async (archive: Buffer): Promise<{ path: string; mode: number | undefined; type: string }[]> => {
    const file = join(directory, '..', `${directory.split('/').pop() ?? ''}.tgz`);
    await writeFile(file, archive);
    const entries: { path: string; mode: number | undefined; type: string }[] = [];
    await list({ file, onReadEntry: ({ path, mode, type }) => entries.push({ path, mode, type }) });
    await rm(file);
    return entries;
  };

  it('has the same digest whatever the times, and another when a byte or the execute bit changes', async () => {
    await put({ 'b.js': '1', 'a/c.js': '2' });
    const first = await packSource(directory, './app');
    await utimes(join(directory, 'b.js'), 1, 1);
    expect((await packSource(directory, './app')).digest).toBe(first.digest);
    await chmod(join(directory, 'b.js'), 0o755);
    const executable = await packSource(directory, './app');
    expect(executable.digest).not.toBe(first.digest);
    await put({ 'b.js': '2' });
    expect((await packSource(directory, './app')).digest).not.toBe(executable.digest);
    expect(first.digest).toMatch(/^sha256-[0-9a-f]{64}$/);
  });

  it('packs sorted names, links as links, and hard links as files', async () => {
    await put({ 'z.txt': 'z', 'a.txt': 'a', '@odd.txt': 'x' });
    await symlink('a.txt', join(directory, 'link'));
    await link(join(directory, 'a.txt'), join(directory, 'b.txt'));
    const { archive } = await packSource(directory, './app');
    const entries = await entriesOf(archive);
    expect(entries.map(({ path, type }) => `${path} ${type}`)).toEqual([
      './@odd.txt File',
      './a.txt File',
      './b.txt File',
      './link SymbolicLink',
      './z.txt File',
    ]);
  });

  it('packs what tar unpacks as it was: long names, large and empty files, and permissions without the right of others to write', async () => {
    const long = `${'directory-with-a-long-name/'.repeat(6)}${'ä'.repeat(60)}.txt`;
    const large = 'x'.repeat(1_500_001);
    await put({ [`app/${long}`]: 'long', 'app/large': large, 'app/empty': '', 'app/run': 'a'.repeat(512), out: '' });
    await chmod(join(directory, 'app/run'), 0o777);
    await symlink(long, join(directory, 'app/link'));
    const { archive } = await packSource(join(directory, 'app'), './app');
    const [file, to] = [join(directory, 'a.tgz'), join(directory, 'out-directory')];
    await writeFile(file, archive);
    await mkdir(to);
    await promisify(execFile)('tar', ['-xzf', file, '-C', to]);
    expect(await readFile(join(to, long), 'utf8')).toBe('long');
    expect(await readFile(join(to, 'large'), 'utf8')).toBe(large);
    expect(await readFile(join(to, 'empty'), 'utf8')).toBe('');
    expect(await readlink(join(to, 'link'))).toBe(long);
    expect((await stat(join(to, 'run'))).mode & 0o777).toBe(0o755);
    const byLibrary = await entriesOf(archive);
    expect(byLibrary.map(({ path }) => path)).toEqual([`./${long}`, './empty', './large', './link', './run']);
  });

  it('honours .gitignore files at every level, the deepest first, and never packs .git', async () => {
    await put({
      '.gitignore': 'node_modules/\n*.log\n/build\n',
      '.git/HEAD': 'ref',
      'node_modules/x/index.js': '',
      'a.log': '',
      'build/out.js': '',
      'src/build/kept.js': '',
      'src/.gitignore': '!keep.log\nsecret.txt\n',
      'src/keep.log': '',
      'src/secret.txt': '',
      'secret.txt': '',
    });
    expect(await namesIn(directory)).toEqual(['.gitignore', 'secret.txt', 'src/.gitignore', 'src/build/kept.js', 'src/keep.log']);
  });

  it('honours the .gitignore of the repository that the source is in, unless that ignores the source itself', async () => {
    await put({
      '.git/HEAD': 'ref',
      '.gitignore': 'node_modules/\ndist/\n',
      'app/server.js': '',
      'app/node_modules/x.js': '',
      'dist/index.html': '',
    });
    expect(await namesIn(join(directory, 'app'))).toEqual(['server.js']);
    expect(await namesIn(join(directory, 'dist'))).toEqual(['index.html']);
  });

  it('refuses links that leave the source', async () => {
    await put({ 'app/a.txt': '' });
    await symlink('../../etc/passwd', join(directory, 'app/evil'));
    await expect(walkSource(join(directory, 'app'), './app')).rejects.toMatchObject({ code: 'SOURCE_LINK_OUTSIDE', exitCode: 2 });
  });

  it('says what is too large and how to leave it out', async () => {
    await put({ 'node_modules/x.js': 'x'.repeat(2_000), 'a.js': 'x' });
    const limits = { maxFiles: 10, maxBytes: 1_000 };
    await expect(walkSource(directory, './app', limits)).rejects.toMatchObject({
      code: 'SOURCE_TOO_LARGE',
      fix: expect.stringContaining('/node_modules'),
    });
    await expect(walkSource(directory, './app', { maxFiles: 1, maxBytes: 10_000 })).rejects.toMatchObject({ code: 'SOURCE_TOO_LARGE' });
  });

  it('says when the source is missing, a file, or empty', async () => {
    await put({ 'file.txt': '' });
    await mkdir(join(directory, 'empty'));
    await expect(packSource(join(directory, 'nope'), './nope')).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    await expect(packSource(join(directory, 'file.txt'), './file.txt')).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    await expect(packSource(join(directory, 'empty'), './empty')).rejects.toMatchObject({ code: 'SOURCE_EMPTY' });
  });
});
