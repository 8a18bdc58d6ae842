import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { usageError } from '../cli-error.js';
import { walkSource } from './walk.js';

/** A source directory as one compressed archive. */
export interface PackedSource {
  /** `sha256-` and 64 hexadecimal digits of the archive. */
  digest: string;
  archive: Buffer;
  files: number;
}

/** Two names of one inode are packed as two files: links between files would depend on the machine. */
class NoHardLinks extends Map<`${number}:${number}`, string> {
  override get(): undefined {
    return undefined;
  }
}

/**
 * Packs a directory into a tar.gz that depends on names, contents and execute bits alone: sorted, without times and owners.
 * So an unchanged directory has an unchanged digest.
 */
export async function packSource(directory: string, shown: string): Promise<PackedSource> {
  await requireDirectory(directory, shown);
  const files = await walkSource(directory, shown);
  const { create } = await import('tar');
  const chunks: Buffer[] = [];
  const hash = createHash('sha256');
  const stream = create(
    { cwd: directory, gzip: { level: 6 }, portable: true, mtime: new Date(0), noDirRecurse: true, linkCache: new NoHardLinks() },
    // A leading "./" keeps a file whose name begins with "@" from being read as an archive.
    files.map(({ path }) => `./${path}`),
  );
  for await (const chunk of stream) {
    hash.update(chunk);
    chunks.push(chunk);
  }
  return { digest: `sha256-${hash.digest('hex')}`, archive: Buffer.concat(chunks), files: files.length };
}

async function requireDirectory(directory: string, shown: string): Promise<void> {
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  throw usageError(`The source ${shown} is ${found === undefined ? 'not there' : 'not a directory'}.`, {
    code: 'SOURCE_NOT_FOUND',
    fix: `\`source.path\` is relative to hithe.yaml; it names ${resolve(directory)}.`,
  });
}
