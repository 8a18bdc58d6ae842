import { link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { systemCode } from '@hithe/client';
import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-codes.js';
import { isMissing } from './config-file.js';

export interface FileLockOptions {
  /** How long to wait for another holder. */
  timeoutMs?: number;
  /** A lock older than this is abandoned, whoever holds it. */
  staleMs?: number;
}

const RETRY_MS = 20;

/**
 * Runs `work` while no other process that uses the same lock file does. The lock of a process that died, or that is
 * older than `staleMs`, is taken over.
 */
export async function withFileLock<T>(file: string, work: () => Promise<T>, options: FileLockOptions = {}): Promise<T> {
  const { timeoutMs = 15_000, staleMs = 30_000 } = options;
  const deadline = Date.now() + timeoutMs;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const own = `${hostname()} ${process.pid} ${Math.random().toString(36).slice(2)}`;
  while (!(await acquire(file, own))) {
    if (await isStale(file, staleMs)) await breakLock(file, own, staleMs);
    else if (Date.now() > deadline) throw busy(file);
    else await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  try {
    return await work();
  } finally {
    // Another process may have judged this one dead; then the lock is no longer ours to remove.
    if ((await contentOf(file)) === own) await rm(file, { force: true });
  }
}

/** Creates the lock with its content in one step: written aside, then linked, which fails if the name exists. */
async function acquire(file: string, own: string): Promise<boolean> {
  const aside = asideOf(file, own);
  await writeFile(aside, own, { mode: 0o600 });
  try {
    await link(aside, file);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

async function isStale(file: string, staleMs: number): Promise<boolean> {
  const content = await contentOf(file);
  if (content === undefined) return false;
  const [host, pid] = content.split(' ');
  if (host === hostname() && !isAlive(Number(pid))) return true;
  return stat(file).then(
    ({ mtimeMs }) => Date.now() - mtimeMs > staleMs,
    () => false,
  );
}

/** Moves the lock away; if it was a fresh one after all, because another process was quicker, puts it back. */
async function breakLock(file: string, own: string, staleMs: number): Promise<void> {
  const taken = `${asideOf(file, own)}.stale`;
  try {
    await rename(file, taken);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  if (!(await isStale(taken, staleMs))) await link(taken, file).catch(() => undefined);
  await rm(taken, { force: true });
}

function asideOf(file: string, own: string): string {
  return `${file}.${own.split(' ').slice(1).join('.')}`;
}

async function contentOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

function busy(file: string): CliError {
  return new CliError(EXIT.failed, `Another hithe process has held ${file} for too long.`, { code: 'CONFIG_LOCKED', fix: `rm '${file}'` });
}
