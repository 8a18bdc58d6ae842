import { DomainError } from './domain-error.js';

interface Waiting {
  start: () => void;
}

/**
 * Runs at most `concurrency` pieces of work at once. Whoever waits is served in turn by key, so that one that asks for much waits for
 * itself; beyond `capacity` waiting pieces it refuses with `TOO_BUSY` (503).
 */
export class FairQueue {
  private running = 0;
  private waiting = 0;
  /** In the order of their turns. */
  private readonly lines = new Map<string, Waiting[]>();

  constructor(
    private readonly concurrency: number,
    private readonly capacity: number,
  ) {}

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    if (this.running >= this.concurrency) await this.wait(key);
    else this.running += 1;
    try {
      return await work();
    } finally {
      this.next();
    }
  }

  private wait(key: string): Promise<void> {
    if (this.waiting >= this.capacity) {
      throw new DomainError('unavailable', 'TOO_BUSY', 'Too many log-ins at once.', { fix: 'Try again in a few seconds.' });
    }
    this.waiting += 1;
    return new Promise((start) => {
      const line = this.lines.get(key);
      if (line) line.push({ start });
      else this.lines.set(key, [{ start }]);
    });
  }

  /** Hands the free place to the next in turn; whose line goes on has its next turn last. */
  private next(): void {
    const [turn] = this.lines;
    if (!turn) {
      this.running -= 1;
      return;
    }
    const [key, line] = turn;
    this.lines.delete(key);
    const first = line.shift();
    if (line.length > 0) this.lines.set(key, line);
    this.waiting -= 1;
    first?.start();
  }
}
