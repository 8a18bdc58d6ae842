import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, shortDigest } from '../store-digest.js';

/**
 * What version ranges and package lists came to, kept in the cache so that a later build is quicker and needs no network.
 * A record that is unreadable counts as absent.
 */
export class ResolutionRecords<T> {
  constructor(private readonly directory: string) {}

  /** The value kept for `key` and its age in milliseconds. */
  async read(key: unknown): Promise<{ value: T; age: number } | undefined> {
    const path = this.path(key);
    try {
      const { mtimeMs } = await stat(path);
      return { value: JSON.parse(await readFile(path, 'utf8')) as T, age: Date.now() - mtimeMs };
    } catch {
      // Absent, or cut short by a power failure: it is resolved again.
      return undefined;
    }
  }

  /** Keeps a value, replacing an older one. */
  async write(key: unknown, value: T): Promise<void> {
    await mkdir(this.directory, { recursive: true });
    const fresh = join(this.directory, `.${randomUUID()}`);
    await writeFile(fresh, JSON.stringify(value));
    await rename(fresh, this.path(key));
  }

  private path(key: unknown): string {
    return join(this.directory, `${shortDigest(digestOf(key))}.json`);
  }
}
