import { describe, expect, it } from '@jest/globals';
import { FairQueue } from './fair-queue.js';

/** Work that ends when it is told to. */
function gate(): { done: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const done = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { done, open };
}

describe('FairQueue', () => {
  it('never runs more than so many at once', async () => {
    const queue = new FairQueue(3, 100);
    let running = 0;
    let most = 0;
    const work = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    };
    await Promise.all(Array.from({ length: 50 }, (_, index) => queue.run(`${index % 7}`, work)));
    expect([most, running]).toEqual([3, 0]);
  });

  it('serves those who wait in turn, not one of them first', async () => {
    const queue = new FairQueue(1, 100);
    const busy = gate();
    const order: string[] = [];
    const first = queue.run('busy', () => busy.done);
    const note = (name: string) => () => Promise.resolve(void order.push(name));
    const rest = ['greedy', 'greedy', 'greedy', 'modest', 'other', 'modest'].map((name) => queue.run(name, note(name)));
    busy.open();
    await Promise.all([first, ...rest]);
    expect(order).toEqual(['greedy', 'modest', 'other', 'greedy', 'modest', 'greedy']);
  });

  it('refuses when too many wait, and goes on after a failure', async () => {
    const queue = new FairQueue(1, 1);
    const busy = gate();
    const first = queue.run('a', () => busy.done.then(() => Promise.reject(new Error('failed'))));
    const second = queue.run('b', () => Promise.resolve('done'));
    await expect(queue.run('c', () => Promise.resolve())).rejects.toMatchObject({ code: 'TOO_BUSY' });
    busy.open();
    await expect(first).rejects.toThrow('failed');
    expect(await second).toBe('done');
    expect(await queue.run('d', () => Promise.resolve('again'))).toBe('again');
  });
});
