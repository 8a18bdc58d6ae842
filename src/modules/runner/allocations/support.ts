/** Lets at most `limit` holders in at a time, in the order of asking. */
export class Semaphore {
  private held = 0;
  private readonly queue: (() => void)[] = [];

  constructor(private readonly limit: number) {}

  /** Runs `work` when there is room. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.held >= this.limit) await new Promise<void>((resolve) => this.queue.push(resolve));
    else this.held += 1;
    try {
      return await work();
    } finally {
      const next = this.queue.shift();
      // The place is handed over, so that nobody takes it in between.
      if (next) next();
      else this.held -= 1;
    }
  }
}

/** One semaphore of one place for each key. */
export class KeyedMutex {
  private readonly locks = new Map<string, { semaphore: Semaphore; users: number }>();

  async use<T>(key: string, work: () => Promise<T>): Promise<T> {
    const lock = this.locks.get(key) ?? { semaphore: new Semaphore(1), users: 0 };
    this.locks.set(key, lock);
    lock.users += 1;
    try {
      return await lock.semaphore.use(work);
    } finally {
      lock.users -= 1;
      if (lock.users === 0) this.locks.delete(key);
    }
  }
}

/** A flag that a loop waits for: set any number of times, it wakes the loop once. */
export class Wakeup {
  private set = false;
  private resolve: (() => void) | undefined;

  signal(): void {
    this.set = true;
    this.resolve?.();
  }

  /** Returns when the flag is set, or after `forMs`; clears it. */
  async wait(forMs?: number): Promise<void> {
    if (!this.set) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.resolve = resolve;
        if (forMs !== undefined) timer = setTimeout(resolve, forMs).unref();
      });
      clearTimeout(timer);
    }
    this.resolve = undefined;
    this.set = false;
  }
}
