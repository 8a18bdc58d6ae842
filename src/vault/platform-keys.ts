import { stat } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import { DomainError } from '../common/domain-error.js';
import { Config } from '../config/config.js';
import { createKeyring, type Keyring, newPlatformKey, type PlatformKey, readKeyring, replaceKeyring } from './keyring-file.js';
import { KeyWrapper, type WrappedKey } from './key-wrapper.js';
import { open, seal } from './seal.js';

/** A generation of the platform key, without the key. */
export interface PlatformKeyInfo {
  id: string;
  active: boolean;
  createdAt: Date;
}

/**
 * The platform key: a keyring in a file of this installation, mode 0600, made once. Losing it loses every secret. The file is looked
 * at before each use, so that every process follows a rotation at once.
 */
@Injectable()
export class PlatformKeys extends KeyWrapper {
  private readonly file: string;
  private loading: Promise<Keyring> | undefined;
  private loadedFrom = '';

  constructor(config: Config) {
    super();
    this.file = config.paths.control.platformKey;
  }

  override async activeKeyId(): Promise<Buffer> {
    return Buffer.from((await this.keyring()).activeId, 'hex');
  }

  override async wrap(dataKey: Buffer): Promise<WrappedKey> {
    const { activeId, keys } = await this.keyring();
    const active = find(keys, activeId);
    return { keyId: Buffer.from(activeId, 'hex'), wrapped: seal(active.key, aadOf(activeId), dataKey) };
  }

  override async unwrap({ keyId, wrapped }: WrappedKey): Promise<Buffer> {
    const id = keyId.toString('hex');
    return open(find((await this.keyring()).keys, id).key, aadOf(id), wrapped);
  }

  override async unwrapUnnamed(wrapped: Buffer, aad: string): Promise<Buffer> {
    const { keys } = await this.keyring();
    const failures: unknown[] = [];
    for (const { key } of keys) {
      try {
        return open(key, aad, wrapped);
      } catch (error) {
        failures.push(error);
      }
    }
    throw new AggregateError(failures, 'none of the platform keys opens it');
  }

  /** Every generation that can still decrypt, oldest first. */
  async list(): Promise<PlatformKeyInfo[]> {
    const { activeId, keys } = await this.keyring();
    return keys.map(({ id, createdAt }) => ({ id, createdAt, active: id === activeId }));
  }

  /** Adds a generation, which decrypts at once and encrypts once it is active. */
  async add(): Promise<PlatformKeyInfo> {
    const { activeId, keys } = await this.keyring();
    const next = newPlatformKey();
    await replaceKeyring(this.file, { activeId, keys: [...keys, next] });
    return { id: next.id, createdAt: next.createdAt, active: false };
  }

  /** Encrypts with this generation from now on, unless a newer one is active already. */
  async activate(id: string): Promise<void> {
    const { activeId, keys } = await this.keyring();
    const place = (wanted: string): number => keys.findIndex((key) => key.id === wanted);
    if (place(id) > place(activeId)) await replaceKeyring(this.file, { activeId: id, keys });
  }

  /** Takes generations out of the keyring for good. The caller has made sure that nothing is wrapped by them. */
  async retire(ids: readonly string[]): Promise<void> {
    const { activeId, keys } = await this.keyring();
    if (ids.includes(activeId)) throw new TypeError('the active key cannot be retired');
    await replaceKeyring(this.file, { activeId, keys: keys.filter(({ id }) => !ids.includes(id)) });
  }

  private async keyring(): Promise<Keyring> {
    const stamp = await this.stamp();
    if (this.loading === undefined || stamp !== this.loadedFrom) {
      this.loadedFrom = stamp;
      this.loading = this.load();
      this.loading.catch(() => (this.loading = undefined));
    }
    return this.loading;
  }

  private async load(): Promise<Keyring> {
    if (this.loadedFrom === '') await createKeyring(this.file);
    return readKeyring(this.file);
  }

  /** Changes with every replacement of the file; empty while there is none. */
  private async stamp(): Promise<string> {
    try {
      const { ino, mtimeMs, size } = await stat(this.file);
      return `${ino} ${mtimeMs} ${size}`;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    }
  }
}

function aadOf(keyId: string): string {
  return `hithe data key, wrapped by ${keyId}`;
}

function find(keys: readonly PlatformKey[], id: string): PlatformKey {
  const found = keys.find((key) => key.id === id);
  if (found) return found;
  throw new DomainError(
    'internal',
    'PLATFORM_KEY_MISSING',
    `The platform key ${id} is not in the keyring: it was retired, or the file is another one.`,
  );
}
