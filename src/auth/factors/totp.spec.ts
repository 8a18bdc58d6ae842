import { describe, expect, it } from '@jest/globals';
import { newTotpSecret, totpStep } from './totp.js';
import { generate } from 'otplib';

const STEP = 59_000_000;
const at = (step: number, seconds = 7) => new Date((step * 30 + seconds) * 1000);
const codeOf = (secret: string, step: number) => generate({ secret, epoch: step * 30 });

describe('one-time codes', () => {
  const { secret, uri } = newTotpSecret('ada@example.org');

  it('come with an address for authenticator apps', () => {
    expect(uri).toMatch(/^otpauth:\/\/totp\/Hithe:ada(%40|@)example\.org\?secret=[A-Z2-7]{32}&issuer=Hithe/);
    expect(newTotpSecret('ada@example.org').secret).not.toBe(secret);
  });

  it('are those of RFC 6238', async () => {
    // Appendix B, time 59 s: 94287082, of which the last six digits count.
    expect(await totpStep('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', '287082', new Date(59_000))).toBe(1);
  });

  it.each([-1, 0, 1])('of the step %i from now are right, at the first and the last second of a step', async (offset) => {
    const code = await codeOf(secret, STEP + offset);
    for (const second of [0, 29]) expect(await totpStep(secret, code, at(STEP, second))).toBe(STEP + offset);
  });

  it.each([-2, 2])('of the step %i from now are wrong', async (offset) => {
    const code = await codeOf(secret, STEP + offset);
    for (const second of [0, 29]) expect(await totpStep(secret, code, at(STEP, second))).toBeUndefined();
  });

  it('may be typed with a blank, and are nothing but six digits', async () => {
    const code = await codeOf(secret, STEP);
    expect(await totpStep(secret, `${code.slice(0, 3)} ${code.slice(3)}`, at(STEP))).toBe(STEP);
    for (const wrong of ['', '12345', `${code}0`, 'abcdef', `${code.slice(0, 5)}x`])
      expect(await totpStep(secret, wrong, at(STEP))).toBeUndefined();
  });
});
