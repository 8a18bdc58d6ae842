import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Injectable } from '@nestjs/common';
import { DomainError } from '../../common/domain-error.js';
import { newId } from '../../common/ids.js';
import { Config } from '../../config/config.js';

const KEY_BYTES = 32;

/** The key that wraps all data keys: a file of this installation, mode 0600, made once. Losing it loses every secret. */
@Injectable()
export class PlatformKey {
  private key: Promise<Buffer> | undefined;

  constructor(private readonly config: Config) {}

  get(): Promise<Buffer> {
    this.key ??= this.load().catch((error: unknown) => {
      this.key = undefined;
      throw error;
    });
    return this.key;
  }

  private async load(): Promise<Buffer> {
    const file = this.config.paths.control.platformKey;
    try {
      return keyOf(await readFile(file, 'utf8'), file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    await create(file);
    return keyOf(await readFile(file, 'utf8'), file);
  }
}

/** Written aside and linked into place, so that of two processes that start at once one key wins, whole. */
async function create(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const aside = `${file}.${newId()}`;
  await writeFile(aside, `${randomBytes(KEY_BYTES).toString('base64')}\n`, { mode: 0o600, flush: true });
  try {
    await link(aside, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(aside);
  }
}

function keyOf(text: string, file: string): Buffer {
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length === KEY_BYTES) return key;
  throw new DomainError(
    'internal',
    'PLATFORM_KEY_INVALID',
    `${file} does not hold a key of ${KEY_BYTES} bytes in base64; restore it from a backup.`,
  );
}
