import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../common/clock.js';
import { KeyRing, type RingKey } from './key-ring.js';

const key = (kid: string, verifiesUntil: Date | null = null): RingKey => ({
  kid,
  publicKey: { kty: 'EC', crv: 'P-256', x: '', y: '' },
  publicKeyPem: kid,
  privateKey: null,
  verifiesUntil,
});

describe('the key ring', () => {
  const clock = new ManualClock();
  let stored: RingKey[] = [];
  let loads = 0;
  const ringOf = (...keys: RingKey[]) => {
    stored = keys;
    loads = 0;
    return new KeyRing(() => {
      loads += 1;
      return Promise.resolve(stored);
    }, clock);
  };

  it('asks the database once, and again after 30 seconds', async () => {
    const ring = ringOf(key('a'));
    for (let time = 0; time < 3; time += 1) await ring.find('a');
    expect(loads).toBe(1);
    clock.advance(31_000);
    await ring.find('a');
    expect(loads).toBe(2);
  });

  it('looks again for a key that it does not know, at most once a second', async () => {
    const ring = ringOf(key('a'));
    await ring.all();
    stored = [key('b'), key('a')];
    expect(await ring.find('b')).toBeUndefined();
    clock.advance(1_001);
    expect(await ring.find('b')).toMatchObject({ kid: 'b' });
    expect(loads).toBe(2);
  });

  it('drops a key in the moment in which it verifies no more', async () => {
    const ring = ringOf(key('a', new Date(clock.now().getTime() + 5_000)), key('b'));
    expect(await ring.find('a')).toBeDefined();
    clock.advance(5_000);
    expect(await ring.find('a')).toBeUndefined();
    expect(await ring.find('b')).toBeDefined();
  });

  it('does not remember a failure', async () => {
    let fails = true;
    const ring = new KeyRing(() => (fails ? Promise.reject(new Error('no database')) : Promise.resolve([key('a')])), clock);
    await expect(ring.all()).rejects.toThrow('no database');
    fails = false;
    expect(await ring.all()).toHaveLength(1);
  });
});
