import { createHash, randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DomainError } from '../common/domain-error.js';
import { newId } from '../common/ids.js';
import { KEY_BYTES } from './seal.js';

/** One generation of the platform key. */
export interface PlatformKey {
  /** Derived from the key itself: two keys never share one, and every replica names a key alike. */
  id: string;
  key: Buffer;
  createdAt: Date;
}

/** All generations that can still decrypt, oldest first, and the one that encrypts. */
export interface Keyring {
  activeId: string;
  keys: PlatformKey[];
}

interface StoredKeyring {
  active: string;
  keys: { id: string; key: string; createdAt: string }[];
}

/** Makes a new generation. */
export function newPlatformKey(): PlatformKey {
  return platformKeyOf(randomBytes(KEY_BYTES), new Date());
}

/** Reads the keyring of a file; one with a single bare key, as older versions wrote it, is a keyring of one. */
export async function readKeyring(file: string): Promise<Keyring> {
  const text = (await readFile(file, 'utf8')).trim();
  if (!text.startsWith('{')) {
    const key = keyOf(text, file, (await stat(file)).mtime);
    return { activeId: key.id, keys: [key] };
  }
  const stored = parse(text, file);
  const keys = stored.keys.map(({ key, createdAt }) => keyOf(key, file, new Date(createdAt)));
  if (keys.some((key, index) => key.id !== stored.keys[index]?.id) || !keys.some(({ id }) => id === stored.active)) throw invalid(file);
  return { activeId: stored.active, keys };
}

/** Makes the file with a first key, mode 0600, unless it is there: of two processes that start at once one key wins, whole. */
export async function createKeyring(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const key = newPlatformKey();
  const aside = await writeAside(file, { activeId: key.id, keys: [key] });
  try {
    await link(aside, file);
    await syncDirectory(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(aside);
  }
}

/** Replaces the file in one step that survives a power cut. Throws `PLATFORM_KEY_READ_ONLY` when this process may not. */
export async function replaceKeyring(file: string, keyring: Keyring): Promise<void> {
  try {
    await rename(await writeAside(file, keyring), file);
    await syncDirectory(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EROFS' && code !== 'EPERM') throw error;
    throw new DomainError('unavailable', 'PLATFORM_KEY_READ_ONLY', 'The control plane may not write the file of the platform key.', {
      fix: 'Let its user write to control/secrets while the key is rotated.',
      cause: error,
    });
  }
}

async function writeAside(file: string, keyring: Keyring): Promise<string> {
  const aside = `${file}.${newId()}`;
  const stored: StoredKeyring = {
    active: keyring.activeId,
    keys: keyring.keys.map(({ id, key, createdAt }) => ({ id, key: key.toString('base64'), createdAt: createdAt.toISOString() })),
  };
  const handle = await open(aside, 'wx', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(stored, undefined, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return aside;
}

async function syncDirectory(file: string): Promise<void> {
  const handle = await open(dirname(file), 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function parse(text: string, file: string): StoredKeyring {
  try {
    return JSON.parse(text) as StoredKeyring;
  } catch {
    // The parser's own message would quote the text.
    throw invalid(file);
  }
}

function keyOf(text: string, file: string, createdAt: Date): PlatformKey {
  const key = Buffer.from(text, 'base64');
  if (key.length !== KEY_BYTES) throw invalid(file);
  return platformKeyOf(key, createdAt);
}

function platformKeyOf(key: Buffer, createdAt: Date): PlatformKey {
  const id = createHash('sha256').update('hithe platform key\0').update(key).digest().subarray(0, 16).toString('hex');
  return { id, key, createdAt };
}

function invalid(file: string): DomainError {
  return new DomainError(
    'internal',
    'PLATFORM_KEY_INVALID',
    `${file} does not hold a keyring of keys of ${KEY_BYTES} bytes in base64; restore it from a backup.`,
  );
}
