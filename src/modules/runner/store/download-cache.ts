import { randomUUID } from 'node:crypto';
import { chmod, lchown, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../../../common/domain-error.js';
import { fileChecksum, type Checksum } from './store-digest.js';
import type { StoreOwner } from './store.types.js';

const ABANDONED_MS = 24 * 3600 * 1000;

/** Downloads by content. Whatever it hands out was verified in that moment; what is damaged is thrown away. */
export class DownloadCache {
  constructor(
    private readonly directory: string,
    private readonly owner: StoreOwner,
  ) {}

  /** Path of the verified file, or undefined when it is absent or damaged; `onDamaged` hears of the latter. */
  async find(checksum: Checksum, onDamaged?: () => void): Promise<string | undefined> {
    const path = this.path(checksum);
    if ((await stat(path).catch(() => undefined)) === undefined) return undefined;
    if ((await fileChecksum(path, checksum.algorithm)) === checksum.hex) return path;
    await rm(path, { force: true });
    onDamaged?.();
    return undefined;
  }

  /** Moves a fresh download into the cache; an error when it is not what was asked for. Same file system as the cache. */
  async adopt(file: string, checksum: Checksum, name: string): Promise<string> {
    const actual = await fileChecksum(file, checksum.algorithm);
    if (actual !== checksum.hex) {
      await rm(file, { force: true });
      throw new DomainError(
        'unavailable',
        'STORE_DIGEST_MISMATCH',
        `The download of ${name} is not what was announced: its ${checksum.algorithm} is ${actual} instead of ${checksum.hex}.`,
        {
          fix: 'Deploy again; when it stays so, the mirror or registry serves a damaged or altered file, or the declared digest is wrong.',
        },
      );
    }
    const path = this.path(checksum);
    await mkdir(join(this.directory, 'files'), { recursive: true });
    await this.own(file);
    await rename(file, path);
    return path;
  }

  /** A fresh, empty directory for downloads in the making. The caller removes it. */
  async workDirectory(): Promise<string> {
    const path = join(this.directory, '.work', randomUUID());
    await mkdir(path, { recursive: true });
    await this.own(path, 0o755);
    return path;
  }

  /** Removes what interrupted downloads left, once it is a day old. */
  async tidy(): Promise<void> {
    const work = join(this.directory, '.work');
    for (const name of await readdir(work).catch(() => [])) {
      const path = join(work, name);
      const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
      if (age > ABANDONED_MS) await rm(path, { recursive: true, force: true });
    }
  }

  private path(checksum: Checksum): string {
    return join(this.directory, 'files', `${checksum.algorithm}-${checksum.hex}`);
  }

  private async own(path: string, mode = 0o644): Promise<void> {
    await chmod(path, mode);
    if (this.owner !== null) await lchown(path, this.owner.uid, this.owner.gid);
  }
}
