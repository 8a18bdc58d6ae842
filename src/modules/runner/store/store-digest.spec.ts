import { describe, expect, it } from '@jest/globals';
import { canonicalJson, digestOf, parseChecksum, shortDigest } from './store-digest.js';

describe('canonicalJson', () => {
  it('does not depend on the order of keys, and does on the order of lists', () => {
    expect(canonicalJson({ b: 1, a: { d: [2, 1], c: 'x' } })).toBe('{"a":{"c":"x","d":[2,1]},"b":1}');
    expect(digestOf({ a: [1, 2] })).not.toBe(digestOf({ a: [2, 1] }));
  });
});

describe('digestOf', () => {
  it('is the same for ever: entries of older versions are found by it', () => {
    const digest = digestOf({ name: 'postgres', version: '17' });
    expect(digest).toBe('sha256-60c1f5867125bea71cf689961ab147cbe907cbeac620d5dbbd7ce5a377b6357a');
    expect(shortDigest(digest)).toHaveLength(16);
  });
});

describe('parseChecksum', () => {
  const hex = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

  it.each([
    [`sha256-${hex}`, { algorithm: 'sha256', hex }],
    [`sha256-${Buffer.from(hex, 'hex').toString('base64')}`, { algorithm: 'sha256', hex }],
    ['sha256-abc', undefined],
    ['md5-d41d8cd98f00b204e9800998ecf8427e', undefined],
    [hex, undefined],
  ])('%s', (text, expected) => {
    expect(parseChecksum(text)).toEqual(expected);
  });
});
