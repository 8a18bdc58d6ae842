import { describe, expect, it } from '@jest/globals';
import { newRecoveryCodes, recoveryCodeHash } from './recovery-code.js';

describe('recovery codes', () => {
  it('are ten different ones, easy to read', () => {
    const codes = newRecoveryCodes();
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) expect(code).toMatch(/^(?:[a-hjkmnp-tv-z2-9]{4}-){3}[a-hjkmnp-tv-z2-9]{4}$/);
  });

  it('are the same however they are typed', () => {
    const hash = recoveryCodeHash('k3vp-x7md-92hq-acwt');
    for (const typed of ['K3VP-X7MD-92HQ-ACWT', ' k3vp x7md 92hq acwt\n', 'k3vpx7md92hqacwt'])
      expect(recoveryCodeHash(typed)).toEqual(hash);
    expect(recoveryCodeHash('k3vp-x7md-92hq-acwu')).not.toEqual(hash);
  });
});
