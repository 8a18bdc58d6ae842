import { createReadStream } from 'node:fs';
import { lstat, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { usageError } from '../cli-error.js';
import type { SourceFile } from './walk.js';

const BLOCK = 512;
/** A larger file is not read as a whole. */
const SMALL_BYTES = 1024 * 1024;
/** So many small files are read at the same time. */
const BATCH = 32;
const END = Buffer.alloc(2 * BLOCK);
const NAME_BYTES = 100;

interface Entry {
  path: string;
  mode: number;
  size: number;
  /** Where a symbolic link leads. */
  link?: string;
  /** Absent for a link, and for a file that is read while it is written. */
  content?: Buffer;
}

/**
 * The files of a directory as a tar archive (POSIX pax), piece by piece: names, contents and permission bits, without times and owners.
 * Written out here since it is a page of code, and loading and running a library for it took longer than the rest of packing.
 */
export async function* tarOf(directory: string, files: readonly SourceFile[]): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < files.length; at += BATCH) {
    // Few large pieces: each costs whoever compresses them a turn in another thread.
    let pieces: Buffer[] = [];
    for (const entry of await Promise.all(files.slice(at, at + BATCH).map((file) => read(directory, file)))) {
      pieces.push(headerOf(entry));
      if (entry.content !== undefined) pieces.push(entry.content);
      else if (entry.link === undefined) {
        yield Buffer.concat(pieces);
        pieces = [];
        yield* streamed(join(directory, entry.path), entry);
      }
      pieces.push(padding(entry.size));
    }
    yield Buffer.concat(pieces);
  }
  yield END;
}

async function read(directory: string, { path }: SourceFile): Promise<Entry> {
  const full = join(directory, path);
  const found = await lstat(full);
  // Whoever unpacks it must be able to read and write it, and nobody else to write.
  const mode = ((found.mode & 0o7777) | 0o600) & ~0o022;
  if (found.isSymbolicLink()) return { path, mode, size: 0, link: await readlink(full) };
  if (found.size > SMALL_BYTES) return { path, mode, size: found.size };
  const content = await readFile(full);
  return { path, mode, size: content.length, content };
}

/** A large file; the header has named its size already. */
async function* streamed(full: string, { path, size }: Entry): AsyncGenerator<Buffer, void, undefined> {
  let left = size;
  for await (const chunk of createReadStream(full) as AsyncIterable<Buffer>) {
    left -= chunk.length;
    if (left < 0) break;
    yield chunk;
  }
  if (left !== 0) throw usageError(`${path} changes while it is packed.`, { code: 'SOURCE_CHANGED', fix: 'Run the command again.' });
}

/** The header block of an entry, after a pax record when a name does not fit into it. */
function headerOf({ path, mode, size, link }: Entry): Buffer {
  const name = `./${path}`;
  const type = link === undefined ? '0' : '2';
  const records = [...record('path', name), ...record('linkpath', link ?? '')];
  const block = header(name, mode, size, type, link ?? '');
  if (records.length === 0) return block;
  const body = Buffer.concat(records);
  return Buffer.concat([header('PaxHeader', 0o644, body.length, 'x', ''), body, padding(body.length), block]);
}

/** A pax record, if the value needs one. It begins with its own length in bytes, that number included. */
function record(key: string, value: string): Buffer[] {
  if (Buffer.byteLength(value) <= NAME_BYTES) return [];
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest);
  while (String(length).length + Buffer.byteLength(rest) !== length) length = String(length).length + Buffer.byteLength(rest);
  return [Buffer.from(`${length}${rest}`)];
}

function header(name: string, mode: number, size: number, type: string, link: string): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, NAME_BYTES);
  block.write(octal(mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136);
  block.write('        ', 148);
  block.write(type, 156);
  block.write(link, 157, NAME_BYTES);
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

function padding(size: number): Buffer {
  return END.subarray(0, (BLOCK - (size % BLOCK)) % BLOCK);
}
