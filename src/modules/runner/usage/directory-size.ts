import { spawn } from 'node:child_process';
import { FIXED_ENVIRONMENT, hostTool } from '../sandbox/bubblewrap-sandbox.js';

/** A tree that takes longer keeps the size that was measured last. */
const LONGEST_MS = 120_000;

/**
 * Bytes of disk that a directory takes, given by an open descriptor; undefined when it cannot be measured in time. `du` follows no link, stays on
 * the file system, opens directories only, and counts a file of several names once; it runs at the lowest priority, until `signal` ends it.
 */
export async function directorySize(descriptor: number, signal: AbortSignal): Promise<number | undefined> {
  const measure = ['--summarize', '--one-file-system', '--no-dereference', '--block-size=1', '--', '.'];
  const child = spawn(hostTool('nice', 'coreutils'), ['-n', '19', hostTool('du', 'coreutils'), ...measure], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...FIXED_ENVIRONMENT },
    cwd: `/proc/self/fd/${descriptor}`,
    timeout: LONGEST_MS,
    signal,
    killSignal: 'SIGKILL',
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  // Not `once` of node:events: to be ended is no error here.
  await new Promise((resolve) => child.once('close', resolve).once('error', resolve));
  // Files that went away meanwhile make it end with 1, and its sum is right all the same.
  const bytes = Number(/^(\d+)\t\.\n$/.exec(text)?.[1] ?? Number.NaN);
  return child.signalCode === null && Number.isFinite(bytes) ? bytes : undefined;
}
