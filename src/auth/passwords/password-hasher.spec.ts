import { describe, expect, it } from '@jest/globals';
import { Algorithm, hash } from '@node-rs/argon2';
import { ARGON2, PasswordHasher } from './password-hasher.js';

describe('PasswordHasher', () => {
  const hasher = new PasswordHasher();
  const password = 'correct horse battery staple';

  it('R21: hashes with argon2id, at least 19 MiB and 2 passes, each with a salt of its own', async () => {
    const [one, two] = await Promise.all([hasher.hash(password), hasher.hash(password)]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(ARGON2.memoryCost).toBeGreaterThanOrEqual(19 * 1024);
    expect(ARGON2.timeCost).toBeGreaterThanOrEqual(2);
    expect(one).not.toBe(two);
    expect(await hasher.verify(one, password)).toBe(true);
    expect(await hasher.verify(one, `${password} `)).toBe(false);
  });

  it('takes Unicode as it is, and refuses whoever has no password', async () => {
    const encoded = await hasher.hash('пароль 密码 🔑 ë');
    expect(await hasher.verify(encoded, 'пароль 密码 🔑 ë')).toBe(true);
    expect(await hasher.verify(null, 'nobody has this password')).toBe(false);
    expect(await hasher.verify(undefined, '')).toBe(false);
  });

  it('R21: knows a hash with weaker parameters, to be made again', async () => {
    expect(hasher.isOutdated(await hasher.hash(password))).toBe(false);
    const weaker = { algorithm: 2 satisfies Algorithm.Argon2id, memoryCost: 8_192, timeCost: 2, parallelism: 1 };
    expect(hasher.isOutdated(await hash(password, weaker))).toBe(true);
    expect(hasher.isOutdated(await hash(password, { ...weaker, memoryCost: 19_456, timeCost: 1 }))).toBe(true);
    expect(hasher.isOutdated('$2b$12$bcrypt')).toBe(true);
  });
});
