import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import type { SignedHead } from '@hithe/client';
import { usageError } from '../cli-error.js';
import type { ExportedLine } from './chain.js';

/** The lines of a file of JSON lines, gzip-compressed where its name says so. Not all of it is in memory. */
async function* linesOf(path: string): AsyncGenerator<{ value: unknown; place: string }> {
  const file = createReadStream(path);
  const text = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  // Errors of the file itself do not travel through the pipe.
  file.on('error', (error) => text.destroy(error));
  let number = 0;
  try {
    for await (const line of createInterface({ input: text, crlfDelay: Infinity })) {
      number += 1;
      if (line.trim() !== '') yield { value: parse(line, `${path}:${number}`), place: `${path}:${number}` };
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES'))
      throw usageError(`${path} cannot be read.`, { code: 'FILE_UNREADABLE', cause: error });
    throw error;
  }
}

function parse(line: string, place: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw usageError(`${place} is not a line of JSON.`, {
      code: 'FILE_INVALID',
      fix: 'hithe audit export --chain --out audit.jsonl',
      cause: error,
    });
  }
}

/** The events of an export or an archive, in their order. */
export async function* eventsIn(path: string): AsyncGenerator<ExportedLine> {
  for await (const { value, place } of linesOf(path)) {
    const line = value as Partial<ExportedLine> | null;
    if (typeof line?.seq !== 'number' || typeof line.hash !== 'string' || typeof line.previousHash !== 'string')
      throw usageError(`${place} is not an event of an audit export.`, { code: 'FILE_INVALID' });
    yield line as ExportedLine;
  }
}

/** The signed heads in a file: heads.jsonl itself, or what a stream has written, where events stand between them. */
export async function* headsIn(path: string): AsyncGenerator<SignedHead> {
  for await (const { value } of linesOf(path)) {
    const line = value as (Partial<SignedHead> & { head?: Partial<SignedHead> }) | null;
    const head = line?.head ?? line;
    if (typeof head?.seq === 'number' && typeof head.signature === 'string') {
      const { installation = '', seq, hash = '', at = '', keyId = '', signature } = head;
      yield { installation, seq, hash, at, keyId, signature };
    }
  }
}
