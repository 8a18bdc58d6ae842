import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { usageError } from '../cli-error.js';
import { tarOf } from './tar.js';
import { walkSource } from './walk.js';

/** Where a gzip header says it. */
const OPERATING_SYSTEM = 9;

/** A source directory as one compressed archive. */
export interface PackedSource {
  /** `sha256-` and 64 hexadecimal digits of the archive. */
  digest: string;
  archive: Buffer;
  files: number;
}

/**
 * Packs a directory into a tar.gz that depends on names, contents and execute bits alone: sorted, without times and owners.
 * So an unchanged directory has an unchanged digest.
 */
export async function packSource(directory: string, shown: string): Promise<PackedSource> {
  await requireDirectory(directory, shown);
  const files = await walkSource(directory, shown);
  const archive = await compressed(tarOf(directory, files));
  return { digest: `sha256-${createHash('sha256').update(archive).digest('hex')}`, archive, files: files.length };
}

async function compressed(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await pipeline(pieces, createGzip({ level: 6 }), async (output: AsyncIterable<Buffer>) => {
    for await (const chunk of output) chunks.push(chunk);
  });
  const archive = Buffer.concat(chunks);
  // The name of the operating system would make the digest depend on it: 255 is "unknown".
  archive[OPERATING_SYSTEM] = 255;
  return archive;
}

async function requireDirectory(directory: string, shown: string): Promise<void> {
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  throw usageError(`The source ${shown} is ${found === undefined ? 'not there' : 'not a directory'}.`, {
    code: 'SOURCE_NOT_FOUND',
    fix: `\`source.path\` is relative to hithe.yaml; it names ${resolve(directory)}.`,
  });
}
