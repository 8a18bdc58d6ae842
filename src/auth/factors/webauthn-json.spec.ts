import { describe, expect, it } from '@jest/globals';
import { assertionOf, challengeOf, registrationOf } from './webauthn-json.js';

const credential = { id: 'mX2s', rawId: 'mX2s', type: 'public-key' };
const signed = { clientDataJSON: 'eyJ9', authenticatorData: 'SZYN', signature: 'MEUC' };

describe('what a browser sends', () => {
  it('may hold more than is needed, of which nothing is kept', () => {
    const response = { ...signed, userHandle: null, fromTheFuture: 1 };
    const parsed = assertionOf(
      { ...credential, authenticatorAttachment: 'platform', clientExtensionResults: { x: 1 }, response },
      'passkey',
    );
    expect(parsed).toEqual({ ...credential, response: signed, clientExtensionResults: {} });
  });

  it('keeps the transports that are known', () => {
    const response = { clientDataJSON: 'eyJ9', attestationObject: 'o2Nm', transports: ['internal', 'telepathy'] };
    expect(registrationOf({ ...credential, response }, 'passkey').response.transports).toEqual(['internal']);
  });

  it.each([
    [{}],
    [{ ...credential, response: {} }],
    [{ ...credential, response: { ...signed, signature: 'not base64!' } }],
    [{ ...credential, type: 'password', response: signed }],
  ])('is refused with the place of the fault: %j', (value) => {
    expect(() => assertionOf(value, 'passkey')).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });

  it('names the challenge, or nothing', () => {
    const data = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    expect(challengeOf(data({ challenge: 'abc' }))).toBe('abc');
    for (const wrong of [data({}), data(null), data({ challenge: 1 }), 'eyJ', '']) expect(challengeOf(wrong)).toBeUndefined();
  });
});
