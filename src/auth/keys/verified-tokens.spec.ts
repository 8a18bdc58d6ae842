import { describe, expect, it } from '@jest/globals';
import type { SigningKeys } from './signing-keys.js';
import { VerifiedTokens } from './verified-tokens.js';

const SECOND = 1_000;
const EXPIRES = 1_000;
const token = (kid: string): string => `${Buffer.from(JSON.stringify({ alg: 'ES256', kid })).toString('base64url')}.claims.signature`;

/** The ring of keys, as far as it is asked here. */
function remembering(ring: Map<string, string>): VerifiedTokens {
  const keys: Pick<SigningKeys, 'verifierOf'> = { verifierOf: (kid) => Promise.resolve(ring.get(kid)) };
  return new VerifiedTokens(keys as SigningKeys);
}

describe('verified tokens', () => {
  const claims = { sub: 'user', sid: 'session', exp: EXPIRES };

  it('are good until they expire', async () => {
    const verified = remembering(new Map([['k1', 'PEM 1']]));
    await verified.remember(token('k1'), claims);
    expect(await verified.claimsOf(token('k1'), EXPIRES * SECOND - 1)).toMatchObject({ sub: 'user', sid: 'session' });
    expect(await verified.claimsOf(token('k1'), EXPIRES * SECOND)).toBeUndefined();
    expect(await verified.claimsOf(token('k1'), 0)).toBeUndefined();
  });

  it('are verified anew when their key is gone, or is another one', async () => {
    const ring = new Map([['k1', 'PEM 1']]);
    const verified = remembering(ring);
    await verified.remember(token('k1'), claims);
    ring.set('k1', 'PEM 2');
    expect(await verified.claimsOf(token('k1'), 0)).toBeUndefined();
    ring.set('k1', 'PEM 1');
    await verified.remember(token('k1'), claims);
    ring.delete('k1');
    expect(await verified.claimsOf(token('k1'), 0)).toBeUndefined();
  });

  it('are known by every character: R16: another signature or other claims are not this token', async () => {
    const verified = remembering(new Map([['k1', 'PEM 1']]));
    await verified.remember(token('k1'), claims);
    expect(await verified.claimsOf(`${token('k1')}x`, 0)).toBeUndefined();
    expect(await verified.claimsOf(token('k1').replace('claims', 'Claims'), 0)).toBeUndefined();
  });

  it('do not fill the memory', async () => {
    const ring = new Map(Array.from({ length: 5_001 }, (_, index) => [`k${index}`, 'PEM']));
    const verified = remembering(ring);
    for (const kid of ring.keys()) await verified.remember(token(kid), claims);
    expect(await verified.claimsOf(token('k0'), 0)).toBeUndefined();
    expect(await verified.claimsOf(token('k5000'), 0)).toBeDefined();
  });
});
