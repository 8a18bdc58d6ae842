import { childEnd, spawnTool } from './command.js';
import type { StoreOwner } from './store.types.js';

export interface FileLockOptions {
  owner: StoreOwner;
  signal?: AbortSignal | undefined;
  /** Several may hold it at once, while nobody holds it alone. */
  shared?: boolean;
  /** Called once when somebody else holds the lock. */
  onWait?: (() => void) | undefined;
}

const BUSY = 75;

/**
 * Runs `work` while holding a `flock` on `file`, exclusive unless said otherwise, across processes. The kernel drops the lock when its
 * holder ends, however it ends, because the holder is a child that lives as long as our end of its stdin.
 */
export async function withFileLock<T>(file: string, options: FileLockOptions, work: () => Promise<T>): Promise<T> {
  let release = await acquire(file, options, ['--nonblock', '--conflict-exit-code', String(BUSY)]);
  if (release === undefined) {
    options.onWait?.();
    release = await acquire(file, options, []);
  }
  if (release === undefined) throw new Error(`flock gave up on ${file} although it was told to wait`);
  try {
    return await work();
  } finally {
    await release();
  }
}

/** Resolves to the function that gives the lock back, or to undefined when the lock is held by another. */
async function acquire(file: string, options: FileLockOptions, flags: string[]): Promise<(() => Promise<void>) | undefined> {
  const { owner, signal } = options;
  signal?.throwIfAborted();
  const holder = ['sh', '-c', 'echo held && exec cat >/dev/null'];
  const child = spawnTool(
    ['flock', options.shared === true ? '--shared' : '--exclusive', ...flags, '--no-fork', file, ...holder],
    { owner },
    ['pipe', 'pipe', 'ignore'],
  );
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('flock was started without pipes');
  // Only the waiting is aborted: whoever holds the lock tidies up under it.
  const abort = (): void => {
    child.kill('SIGKILL');
  };
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const ended = childEnd(child, 'flock');
    const held = new Promise<true>((resolve) => {
      stdout.once('data', () => {
        resolve(true);
      });
    });
    const first = await Promise.race([held, ended]);
    if (first === true) {
      return async () => {
        stdin.end();
        await ended;
      };
    }
    signal?.throwIfAborted();
    if (first.code === BUSY) return undefined;
    throw new Error(`flock on ${file} ended with ${first.signal ?? String(first.code)}`);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
