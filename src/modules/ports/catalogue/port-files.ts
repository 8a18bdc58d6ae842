import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Port } from './catalogue.types.js';

/** Not part of what runs: changing them must not make a new store entry. */
const LEFT_OUT = /^(?:README(?:\..*)?|CHANGELOG(?:\..*)?|tests?|docs|\.git|node_modules)$/i;

/** One file of a port: its place below the port's directory, and where it is. */
export interface PortFile {
  path: string;
  source: string;
  executable: boolean;
  /** What it holds instead, when it was put together from several files. */
  text?: string;
}

/**
 * The files of a port that are installed with it, an overlay's in place of the port's own, sorted by path. The manifest of
 * a port from elsewhere is what the catalogue made of it.
 */
export async function portFiles(port: Pick<Port, 'dir' | 'overlay' | 'origin' | 'manifest'>): Promise<PortFile[]> {
  const own = await filesBelow(port.dir);
  const over = port.overlay === undefined ? [] : await filesBelow(port.overlay);
  const byPath = new Map([...own, ...over].map((file) => [file.path, file]));
  const manifest = byPath.get('manifest.json');
  if (port.origin !== 'bundled' && manifest !== undefined) {
    byPath.set('manifest.json', { ...manifest, text: `${JSON.stringify(port.manifest, undefined, 2)}\n` });
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** All files below a directory except tests and documentation, sorted by path. Links count as what they point to. */
export async function filesBelow(dir: string): Promise<PortFile[]> {
  const files: PortFile[] = [];
  const visit = async (below: string): Promise<void> => {
    const names = (await readdir(join(dir, below))).filter((name) => !LEFT_OUT.test(name));
    const look = async (name: string): Promise<void> => {
      const path = below === '' ? name : `${below}/${name}`;
      const source = join(dir, path);
      const info = await stat(source);
      if (info.isDirectory()) await visit(path);
      else if (info.isFile()) files.push({ path, source, executable: (info.mode & 0o111) !== 0 });
    };
    await Promise.all(names.map(look));
  };
  await visit('');
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A digest of the files' places, contents and executability. */
export async function filesDigest(files: readonly PortFile[]): Promise<string> {
  const hash = createHash('sha256');
  const contents = await Promise.all(files.map(async ({ text, source }) => text ?? (await readFile(source))));
  for (const [index, file] of files.entries()) {
    const content = createHash('sha256')
      .update(contents[index] ?? '')
      .digest('hex');
    hash.update(`${file.path}\0${file.executable ? 'x' : '-'}\0${content}\n`);
  }
  return `sha256-${hash.digest('hex')}`;
}
