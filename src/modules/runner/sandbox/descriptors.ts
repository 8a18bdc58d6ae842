import { randomUUID } from 'node:crypto';
import { closeSync, constants, existsSync, fchmodSync, fchownSync, mkdirSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DomainError } from '../../../common/domain-error.js';
import type { Identity } from './sandbox.types.js';

const DIRECTORY_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Opens `base/part/part…` and follows no symbolic link below `base`. Each part is opened relative to its parent's descriptor,
 * so that a tenant who swaps a directory for a link gains nothing. The caller closes the descriptor.
 */
export function openDirectory(base: string, ...parts: string[]): number {
  let fd = openSync(base, DIRECTORY_FLAGS);
  for (const part of parts) fd = descend(fd, part);
  return fd;
}

/** Opens the directory `part` of an open directory, without following a link; closes nothing. */
export function openChild(parent: number, part: string): number {
  try {
    return openSync(childPath(parent, part), DIRECTORY_FLAGS);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTDIR' && code !== 'ELOOP') throw error;
    throw new DomainError('conflict', 'DIRECTORY_REPLACED', `Where the directory "${part}" should be, there is a file or a link.`, {
      fix: `Remove what is there, or move it away: "${part}" is made anew. Links are never followed.`,
    });
  }
}

/** A path to `part` that goes through the open directory itself, whatever its name is by now. */
export function childPath(parent: number, part: string): string {
  if (part === '' || part === '.' || part === '..' || part.includes('/')) throw new TypeError(`"${part}" is not a file name`);
  return `/proc/self/fd/${parent}/${part}`;
}

/** Makes the directory `part` when it is missing, for `owner` alone, and opens it. */
export function ensureChild(parent: number, part: string, owner: Identity, mode = 0o700): number {
  if (tryMkdir(childPath(parent, part))) {
    const fd = openChild(parent, part);
    fchmodSync(fd, mode);
    if (process.geteuid?.() === 0) fchownSync(fd, owner.uid, owner.gid);
    return fd;
  }
  return openChild(parent, part);
}

function tryMkdir(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function descend(fd: number, part: string): number {
  try {
    return openChild(fd, part);
  } finally {
    closeSync(fd);
  }
}

/** `/dev/shm` where there is one: contents that may hold secrets then never reach a disk. */
const SCRATCH = existsSync('/dev/shm') ? '/dev/shm' : '/tmp';

/** A descriptor from which `content` can be read once, from its start; it has no name. The caller closes it. */
export function contentDescriptor(content: string | Buffer): number {
  const path = join(SCRATCH, `.hithe-${randomUUID()}`);
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  unlinkSync(path);
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  // Positional, so that the reader, who shares the offset, starts at 0.
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, done);
  return fd;
}

/** Which of our descriptors becomes which descriptor of a child: a `stdio` array that grows. */
export class DescriptorTable {
  private readonly stdio: (number | 'ignore' | 'pipe')[];
  private readonly owned: number[] = [];

  constructor(stdin: number | 'ignore', stdout: number | 'pipe', stderr: number | 'pipe') {
    this.stdio = [stdin, stdout, stderr];
  }

  /** Passes `fd`, which stays the caller's; returns its number in the child. */
  pass(fd: number): number {
    return this.stdio.push(fd) - 1;
  }

  /** Passes `content` as a readable descriptor; returns its number in the child. */
  passContent(content: string | Buffer): number {
    const fd = contentDescriptor(content);
    this.owned.push(fd);
    return this.pass(fd);
  }

  get array(): (number | 'ignore' | 'pipe')[] {
    return this.stdio;
  }

  /** Closes what this table opened itself. */
  close(): void {
    for (const fd of this.owned.splice(0)) closeSync(fd);
  }
}
