import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Config, loadConfig } from '../config/config.js';
import { Envelopes, placeOf } from './envelopes.js';
import { PlatformKeys } from './platform-keys.js';
import { seal } from './seal.js';

const UNREADABLE = expect.objectContaining({ code: 'SECRET_UNREADABLE' });

describe('envelopes under the platform key', () => {
  let home: string;
  let config: Config;

  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'hithe-vault-'));
    config = loadConfig({ HITHE_HOME: home, HITHE_DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' });
  });

  afterAll(() => {
    rmSync(home, { recursive: true });
  });

  const open = (): { keys: PlatformKeys; envelopes: Envelopes } => {
    const keys = new PlatformKeys(config);
    return { keys, envelopes: new Envelopes(keys) };
  };
  const place = placeOf('secret', 'team', 'project', 'db', 'PASSWORD', 1);

  it('give back what was put in, and look different each time', async () => {
    const { envelopes } = open();
    const one = await envelopes.encrypt(place, 'pässword');
    expect(await envelopes.decrypt(place, one)).toBe('pässword');
    expect(one.includes('pässword')).toBe(false);
    expect(await envelopes.encrypt(place, 'pässword')).not.toEqual(one);
    expect(statSync(config.paths.control.platformKey).mode & 0o777).toBe(0o600);
  });

  it('R44: refuse another place and a changed byte', async () => {
    const { envelopes } = open();
    const sealed = await envelopes.encrypt(place, 'secret');
    await expect(envelopes.decrypt(placeOf('secret', 'other', 'project', 'db', 'PASSWORD', 1), sealed)).rejects.toEqual(UNREADABLE);
    for (const at of [0, 1, 17, 18, 30, 79, sealed.length - 20, sealed.length - 1]) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      await expect(envelopes.decrypt(place, changed)).rejects.toEqual(UNREADABLE);
    }
    await expect(envelopes.decrypt(place, Buffer.alloc(0))).rejects.toEqual(UNREADABLE);
  });

  it('R45: old ones open after a rotation, in every process, and after rewrapping and retiring too', async () => {
    const { keys, envelopes } = open();
    const other = open();
    const sealed = await envelopes.encrypt(place, 'kept');
    const next = await keys.add();
    await keys.activate(next.id);
    const sealedByOther = await other.envelopes.encrypt(place, 'new');
    expect(sealedByOther.subarray(1, 17).toString('hex')).toBe(next.id);
    expect(await other.envelopes.decrypt(place, sealed)).toBe('kept');
    const rewrapped = await envelopes.rewrap(sealed);
    await keys.retire((await keys.list()).filter(({ active }) => !active).map(({ id }) => id));
    expect(await other.envelopes.decrypt(place, rewrapped)).toBe('kept');
    await expect(other.envelopes.decrypt(place, sealed)).rejects.toEqual(UNREADABLE);
    expect(statSync(config.paths.control.platformKey).mode & 0o777).toBe(0o600);
  });

  it('read the bare key and the envelopes of older versions', async () => {
    const key = randomBytes(32);
    writeFileSync(config.paths.control.platformKey, `${key.toString('base64')}\n`, { mode: 0o600 });
    const dataKey = randomBytes(32);
    const first = Buffer.concat([Buffer.of(1), seal(key, 'p/db/X/1', dataKey), seal(dataKey, 'p/db/X/1', Buffer.from('old'))]);
    const { keys, envelopes } = open();
    expect(await envelopes.decrypt(place, first, 'p/db/X/1')).toBe('old');
    await expect(envelopes.decrypt(place, first, 'p/db/Y/1')).rejects.toEqual(UNREADABLE);
    await expect(envelopes.decrypt(place, first)).rejects.toEqual(UNREADABLE);
    await keys.activate((await keys.add()).id);
    expect(await envelopes.decrypt(place, first, 'p/db/X/1')).toBe('old');
  });

  it('a broken keyring is refused without a word of what is in it', async () => {
    writeFileSync(config.paths.control.platformKey, '{"active": "marked-key-material');
    const failure: unknown = await open()
      .keys.list()
      .catch((error: unknown) => error);
    expect(failure).toEqual(expect.objectContaining({ code: 'PLATFORM_KEY_INVALID' }));
    expect(String(failure)).not.toContain('marked');
    expect(readFileSync(config.paths.control.platformKey, 'utf8')).toContain('marked');
  });
});
