import { createReadStream } from 'node:fs';
import { posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Parser, type ReadEntry } from 'tar';
import { DomainError } from '../../../../common/domain-error.js';

export interface ArchiveLimits {
  entries: number;
  /** Bytes, unpacked. */
  size: number;
}

/** Far above any source tree, far below a bomb. */
export const DEFAULT_ARCHIVE_LIMITS: ArchiveLimits = { entries: 200_000, size: 2 * 1024 ** 3 };

const ALLOWED_TYPES = new Set(['File', 'OldFile', 'ContiguousFile', 'Directory', 'SymbolicLink', 'Link']);

function refuse(message: string): DomainError {
  return new DomainError('invalid', 'ARCHIVE_REFUSED', `The source archive is refused: ${message}.`, {
    fix: 'Make the archive of the directory again; it must hold plain files, directories and links among them.',
  });
}

/**
 * Reads a `.tar.gz` without unpacking it and rejects with `ARCHIVE_REFUSED` when it holds anything that could leave its directory
 * (absolute names, `..`, links to the outside, names below a link), a special file, or more than the limits allow.
 */
export async function checkArchive(path: string, limits: ArchiveLimits = DEFAULT_ARCHIVE_LIMITS): Promise<void> {
  const links = new Set<string>();
  const total = { entries: 0, size: 0 };
  const parser = new Parser({ strict: true });
  const failure: { error?: Error } = {};
  const input = createReadStream(path);
  parser.on('entry', (entry: ReadEntry) => {
    try {
      checkEntry(entry, links);
      total.entries += 1;
      total.size += entry.size;
      if (total.entries > limits.entries) throw refuse(`it holds more than ${limits.entries} files`);
      if (total.size > limits.size) throw refuse(`it unpacks to more than ${limits.size} bytes`);
    } catch (error) {
      failure.error ??= error as Error;
      input.destroy(failure.error);
    }
    entry.resume();
  });
  try {
    await pipeline(input, parser as unknown as NodeJS.WritableStream);
  } catch (error) {
    throw failure.error ?? refuse(error instanceof Error ? error.message : String(error));
  }
  if (failure.error) throw failure.error;
}

function checkEntry(entry: ReadEntry, links: Set<string>): void {
  const name = inside(entry.path);
  if (name === undefined) throw refuse(`"${entry.path}" is outside of it`);
  if (!ALLOWED_TYPES.has(entry.type)) throw refuse(`"${entry.path}" is a ${entry.type}`);
  for (let parent = posix.dirname(name); parent !== '.'; parent = posix.dirname(parent)) {
    if (links.has(parent)) throw refuse(`"${entry.path}" is below the link "${parent}"`);
  }
  if (entry.type === 'SymbolicLink') {
    if (inside(entry.linkpath ?? '', posix.dirname(name)) === undefined) throw refuse(`the link "${entry.path}" leads outside`);
    links.add(name);
  }
  if (entry.type === 'Link' && inside(entry.linkpath ?? '') === undefined) throw refuse(`the link "${entry.path}" leads outside`);
}

/** The normal form of a name within the archive, or undefined when it is not within. */
function inside(name: string, from = '.'): string | undefined {
  if (name === '' || name.includes('\0') || posix.isAbsolute(name)) return undefined;
  const normal = posix.normalize(posix.join(from, name)).replace(/\/$/, '');
  return normal === '..' || normal.startsWith('../') ? undefined : normal;
}
