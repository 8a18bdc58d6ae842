import { spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { once } from 'node:events';
import { LOCK_CONFLICT } from '../sandbox/sandbox.types.js';
import { FIXED_ENVIRONMENT, hostTool } from '../sandbox/bubblewrap-sandbox.js';

let flockPath: string | undefined;

/** Opens the file of a lock without taking it; the caller closes the descriptor. */
export function openLock(path: string): number {
  return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
}

/**
 * Takes the lock of `path` and returns the descriptor that holds it, or undefined when another holds it. The lock belongs to the open
 * file, so it lasts until every process that was given the descriptor has closed it.
 */
export async function tryLock(path: string): Promise<number | undefined> {
  const fd = openLock(path);
  try {
    // Node.js has no flock(2); util-linux's takes the lock on the descriptor that it inherits, which is ours too.
    flockPath ??= hostTool('flock', 'util-linux');
    const child = spawn(flockPath, ['--nonblock', '--conflict-exit-code', String(LOCK_CONFLICT), '3'], {
      stdio: ['ignore', 'ignore', 'ignore', fd],
      env: { ...FIXED_ENVIRONMENT },
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code === 0) return fd;
    if (code !== LOCK_CONFLICT) throw new Error(`flock ended with ${String(code)} on ${path}`);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  closeSync(fd);
  return undefined;
}
