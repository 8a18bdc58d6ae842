import { setTimeout as delay } from 'node:timers/promises';

/** Waits until the condition holds; fails when it does not within `milliseconds`. */
export async function until(condition: () => boolean | Promise<boolean>, milliseconds = 60_000): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new Error(`The condition did not become true within ${milliseconds / 1_000} s: ${condition.toString()}`);
    await delay(20);
  }
}
