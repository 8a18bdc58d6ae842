import { describe, expect, it } from '@jest/globals';
import { hashOfToken, kindOfToken, looksLikeToken, newToken } from './token-format.js';

describe('API tokens', () => {
  it('carry their kind, are whole, and never come twice', () => {
    const tokens = Array.from({ length: 200 }, () => newToken('pat'));
    expect(new Set(tokens).size).toBe(200);
    for (const token of tokens) {
      expect(token).toMatch(/^hithe_pat_[0-9A-Za-z]{42}$/);
      expect(kindOfToken(token)).toBe('pat');
    }
    expect(kindOfToken(newToken('sat'))).toBe('sat');
  });

  it('are told from mistyped ones by their checksum', () => {
    const token = newToken('sat');
    for (let place = 10; place < token.length; place += 1) {
      const other = token[place] === 'a' ? 'b' : 'a';
      expect(kindOfToken(token.slice(0, place) + other + token.slice(place + 1))).toBeUndefined();
    }
    expect(kindOfToken(token.slice(0, -1))).toBeUndefined();
    expect(kindOfToken(`${token}a`)).toBeUndefined();
    expect(kindOfToken(token.replace('_sat_', '_pat_'))).toBeUndefined();
    expect(kindOfToken(`${token}\n`)).toBeUndefined();
  });

  it('are known by their prefix, even when mistyped', () => {
    expect(looksLikeToken('hithe_pat_oops')).toBe(true);
    expect(looksLikeToken('hithe_rt_0123')).toBe(false);
    expect(looksLikeToken('eyJhbGciOiJFUzI1NiJ9.e30.c2ln')).toBe(false);
  });

  it('have a known checksum and hash, which must never change', () => {
    const token = 'hithe_pat_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0YM00h';
    expect(kindOfToken(token)).toBe('pat');
    expect(hashOfToken(token).toString('hex')).toBe('0242edcd84cf9d67765d4470a0bd8fef33199cd34bc089775c5abb7057f7faa2');
  });
});
