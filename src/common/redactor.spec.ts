import { describe, expect, it } from '@jest/globals';
import { MASK, Redactor } from './redactor.js';

describe('a redactor', () => {
  const secret = 'p@ss "word"/1+';
  const redactor = new Redactor([secret, 'short', 'first line of a key\nsecond line of a key', `${secret} and more`]);

  it.each([
    ['as it is', `the key is ${secret}!`, `the key is ${MASK}!`],
    ['in a URL', `postgres://u:${encodeURIComponent(secret)}@db`, `postgres://u:${MASK}@db`],
    ['in JSON', JSON.stringify({ secret }), `{"secret":"${MASK}"}`],
    ['in base64', Buffer.from(secret).toString('base64'), `${MASK}=`.slice(0, MASK.length + 1)],
    ['one of its lines', 'read: second line of a key', `read: ${MASK}`],
    ['a longer one that begins with it', `${secret} and more`, MASK],
  ])('blanks out a secret %s', (_how, text, expected) => {
    expect(redactor.mask(text).replace(/=+$/, '')).toBe(expected.replace(/=+$/, ''));
  });

  it('leaves everything else, and what is too short to be a secret', () => {
    expect(redactor.mask('a short text')).toBe('a short text');
    expect(new Redactor([]).mask('anything')).toBe('anything');
  });

  it('finds a long one in pieces', () => {
    const long = 'x1y2z3'.repeat(2_000);
    expect(new Redactor([long]).mask(`<${long}>`)).not.toContain('x1y2z3x1y2z3');
  });
});
