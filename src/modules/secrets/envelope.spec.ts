import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { decrypt, encrypt } from './envelope.js';

describe('the envelope of a secret', () => {
  const key = randomBytes(32);

  it('gives back what was put in, and looks different each time', () => {
    const one = encrypt(key, 'project/db/PASSWORD/1', 'pässword');
    expect(decrypt(key, 'project/db/PASSWORD/1', one)).toBe('pässword');
    expect(one.includes('pässword')).toBe(false);
    expect(encrypt(key, 'project/db/PASSWORD/1', 'pässword')).not.toEqual(one);
  });

  it('refuses another place, another key and a changed byte', () => {
    const sealed = encrypt(key, 'project/db/PASSWORD/1', 'secret');
    expect(() => decrypt(key, 'project/web/PASSWORD/1', sealed)).toThrow(expect.objectContaining({ code: 'SECRET_UNREADABLE' }));
    expect(() => decrypt(randomBytes(32), 'project/db/PASSWORD/1', sealed)).toThrow(expect.objectContaining({ code: 'SECRET_UNREADABLE' }));
    for (const place of [0, 1, 20, 60, sealed.length - 20, sealed.length - 1]) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(place) ^ 1, place);
      expect(() => decrypt(key, 'project/db/PASSWORD/1', changed)).toThrow(expect.objectContaining({ code: 'SECRET_UNREADABLE' }));
    }
  });
});
