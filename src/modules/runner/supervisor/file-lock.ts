import { spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { once } from 'node:events';
import { FIXED_ENVIRONMENT, hostTool } from '../sandbox/bubblewrap-sandbox.js';

const BUSY = 199;
let flockPath: string | undefined;

/**
 * Takes the lock of `path` and returns the descriptor that holds it, or undefined when another holds it. The lock belongs to the open
 * file, so it lasts until every process that was given the descriptor has closed it.
 */
export async function tryLock(path: string): Promise<number | undefined> {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    // Node.js has no flock(2); util-linux's takes the lock on the descriptor that it inherits, which is ours too.
    flockPath ??= hostTool('flock', 'util-linux');
    const child = spawn(flockPath, ['--nonblock', '--conflict-exit-code', String(BUSY), '3'], {
      stdio: ['ignore', 'ignore', 'ignore', fd],
      env: { ...FIXED_ENVIRONMENT },
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code === 0) return fd;
    if (code !== BUSY) throw new Error(`flock ended with ${String(code)} on ${path}`);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  closeSync(fd);
  return undefined;
}
