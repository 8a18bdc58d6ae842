import { readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** What a running server says of itself in `postmaster.pid`. */
export interface Postmaster {
  readonly pid: number;
  readonly socketDirectory: string;
  /** Whether it accepts connections. */
  readonly ready: boolean;
}

/** The server that runs on this data directory, if any. A lock file whose process is gone, or is another program by now, counts for nothing. */
export async function findPostmaster(data: string): Promise<Postmaster | undefined> {
  const lines = await lockFile(data);
  const pid = Number(lines?.[0]);
  if (lines === undefined || !Number.isInteger(pid) || pid <= 1 || !(await isServerOf(pid, data))) return undefined;
  return { pid, socketDirectory: lines[4] ?? '', ready: lines[7]?.trim() === 'ready' };
}

/**
 * Removes the lock file of a server that no longer runs. PostgreSQL does so itself unless the pid was given to
 * another process of the same uid, which after a reboot of a rootless installation is not rare.
 */
export async function removeStaleLock(data: string): Promise<void> {
  if ((await lockFile(data)) === undefined || (await findPostmaster(data)) !== undefined) return;
  await rm(join(data, 'postmaster.pid'), { force: true });
}

/** Waits until the process is gone; false when it still runs at the deadline. */
export async function waitForExit(pid: number, milliseconds: number): Promise<boolean> {
  const deadline = performance.now() + milliseconds;
  while (await isAlive(pid)) {
    if (performance.now() > deadline) return false;
    await delay(20);
  }
  return true;
}

async function lockFile(data: string): Promise<string[] | undefined> {
  try {
    return (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A postmaster works in its data directory, and its program is called `postgres`. */
async function isServerOf(pid: number, data: string): Promise<boolean> {
  try {
    const [directory, name] = await Promise.all([readlink(`/proc/${pid}/cwd`), readFile(`/proc/${pid}/comm`, 'utf8')]);
    return directory === data && name.trim() === 'postgres';
  } catch {
    // Gone, or not ours to look at: then it is not our server.
    return false;
  }
}

/** A zombie is dead: whoever started it has not looked yet. */
async function isAlive(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text !== '' && !/\) [ZX] /.test(text);
}
