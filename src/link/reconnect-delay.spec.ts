import { describe, expect, it } from '@jest/globals';
import { ReconnectDelay } from './reconnect-delay.js';

describe('ReconnectDelay', () => {
  it('doubles up to a limit and begins anew after a success', () => {
    const delay = new ReconnectDelay(() => 1);
    expect(Array.from({ length: 9 }, () => delay.next())).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 12_800, 15_000, 15_000]);
    delay.reset();
    expect(delay.next()).toBe(200);
  });

  it('spreads agents over half of each pause', () => {
    expect([0, 0.5, 1].map((random) => new ReconnectDelay(() => random).next())).toEqual([100, 150, 200]);
  });
});
