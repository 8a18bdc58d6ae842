import { closeSync, constants, fstatSync, openSync, readSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type StampedLine, parseStampedLine } from './log-line.js';

const CHUNK = 64 * 1024;
const EPOCH = '1970-01-01T00:00:00.000000000Z';

/** A place in the log: which file, whatever its name is by now, and how far it was read. */
export interface LogPosition {
  inode: number;
  offset: number;
}

/** Oldest first. Rotated files are named by the time of their rotation; `.u` ones were cut short by a crash of the writer. */
function rotatedFiles(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.startsWith('@') && (name.endsWith('.s') || name.endsWith('.u')))
    .sort()
    .map((name) => join(directory, name));
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Reads whole lines from `position` on and moves it behind the last of them. */
function readLines(fd: number, position: LogPosition, limit: number): StampedLine[] {
  const lines: StampedLine[] = [];
  let rest: Buffer = Buffer.alloc(0);
  let at = position.offset;
  while (lines.length < limit) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const count = readSync(fd, chunk, 0, CHUNK, at);
    if (count === 0) break;
    at += count;
    const bytes = Buffer.concat([rest, chunk.subarray(0, count)]);
    const end = bytes.lastIndexOf(10) + 1;
    rest = bytes.subarray(end);
    if (end === 0) continue;
    const complete = bytes.toString('utf8', 0, end - 1).split('\n');
    for (const line of complete) lines.push(parseStampedLine(line, lines.at(-1)?.at ?? EPOCH));
    position.offset = at - rest.length;
  }
  return lines;
}

/** Reads one component's log forwards, over rotations, without losing or repeating a line. */
export class LogCursor {
  private fd: number | undefined;

  /** From `position`, or from the start of the oldest file. */
  constructor(
    private readonly directory: string,
    private position?: LogPosition,
  ) {}

  /** What is new, at most about `limit` lines; an empty answer means that all was read. */
  read(limit = 1_000): StampedLine[] {
    for (;;) {
      this.fd ??= this.openPosition();
      if (this.fd === undefined || this.position === undefined) return [];
      const lines = readLines(this.fd, this.position, limit);
      if (lines.length > 0) return lines;
      if (!this.advance()) return [];
    }
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }

  private get files(): string[] {
    return [...rotatedFiles(this.directory), join(this.directory, 'current')];
  }

  /** Opens the file of the position; when it was collected meanwhile, or there was none, the oldest one. */
  private openPosition(): number | undefined {
    for (const file of this.files) {
      const fd = openIfThere(file);
      if (fd === undefined) continue;
      const inode = fstatSync(fd).ino;
      if (this.position === undefined || this.position.inode === inode) {
        this.position ??= { inode, offset: 0 };
        return fd;
      }
      closeSync(fd);
    }
    if (this.position === undefined) return undefined;
    this.position = undefined;
    return this.openPosition();
  }

  /** Goes to the file after a finished one; false when this one is still being written. */
  private advance(): boolean {
    const inodes = this.files.map((file) => ({ file, inode: statSync(file, { throwIfNoEntry: false })?.ino }));
    const here = inodes.findIndex(({ inode }) => inode === this.position?.inode);
    if (here === inodes.length - 1) return false;
    const next = inodes.slice(here + 1).find(({ inode }) => inode !== undefined);
    if (next?.inode === undefined) return false;
    // The writer may have added lines between our last read and its rotation.
    if (this.fd !== undefined && this.position && fstatSync(this.fd).size > this.position.offset && here >= 0 && this.hasWholeLine())
      return true;
    this.close();
    this.position = { inode: next.inode, offset: 0 };
    return true;
  }

  private hasWholeLine(): boolean {
    return this.fd !== undefined && this.position !== undefined && readLines(this.fd, { ...this.position }, 1).length > 0;
  }
}

export interface Tail {
  lines: StampedLine[];
  /** Where following goes on. */
  position: LogPosition | undefined;
}

/** The last `count` lines of a component, oldest first; with `after`, only later ones. */
export function readTail(directory: string, count: number, after?: string): Tail {
  const current = openIfThere(join(directory, 'current'));
  const files = rotatedFiles(directory);
  const parts: StampedLine[][] = [];
  let position: LogPosition | undefined;
  let have = 0;
  const take = (fd: number): LogPosition => {
    const place = { inode: fstatSync(fd).ino, offset: 0 };
    const all = place.inode === position?.inode ? [] : readLines(fd, place, Number.POSITIVE_INFINITY);
    const wanted = after === undefined ? all : all.filter((line) => line.at > after);
    parts.unshift(wanted);
    have += wanted.length;
    if (after !== undefined && wanted.length < all.length) have = count;
    closeSync(fd);
    return place;
  };
  if (current !== undefined) position = take(current);
  while (have < count && files.length > 0) {
    const fd = openIfThere(files.pop() ?? '');
    if (fd === undefined) continue;
    const place = take(fd);
    position ??= place;
  }
  const lines = parts.flat();
  return { lines: count === 0 ? [] : lines.slice(-count), position };
}
