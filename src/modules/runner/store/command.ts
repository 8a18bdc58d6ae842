import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { DomainError } from '../../../common/domain-error.js';
import type { StoreOwner } from './store.types.js';

/** Nothing of the agent's environment reaches the tools; proxies are passed on purpose. */
const TOOL_ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', HOME: '/nonexistent' };
const TAIL_LINES = 30;

export interface CommandOptions {
  owner: StoreOwner;
  env?: Record<string, string> | undefined;
  signal?: AbortSignal | undefined;
  /** Receives each line of stdout as it comes. */
  onLine?: ((line: string) => void) | undefined;
}

export interface CommandResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  /** The last lines of stderr. */
  stderr: string[];
}

/**
 * The command line that runs `command` as the store's account, without capabilities or new privileges, and that
 * dies with the process that started it, so that a killed agent leaves no builder behind.
 */
export function ownerCommand(command: readonly [string, ...string[]], owner: StoreOwner): [string, ...string[]] {
  const drop =
    owner === null
      ? []
      : [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups', '--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-all'];
  return ['setpriv', ...drop, '--no-new-privs', '--pdeathsig', 'KILL', '--', ...command];
}

/** Starts a tool as the store's account with the given stdio; the caller waits for it. */
export function spawnTool(command: readonly [string, ...string[]], options: CommandOptions, stdio: ('pipe' | 'ignore')[]): ChildProcess {
  const [file, ...args] = ownerCommand(command, options.owner);
  return spawn(file, args, {
    stdio,
    cwd: '/',
    env: { ...TOOL_ENVIRONMENT, ...options.env },
    ...(options.signal === undefined ? {} : { signal: options.signal, killSignal: 'SIGKILL' }),
  });
}

/** Runs a tool to its end and returns its exit code and output; rejects only when it cannot be started or is aborted. */
export async function runTool(command: readonly [string, ...string[]], options: CommandOptions): Promise<CommandResult> {
  options.signal?.throwIfAborted();
  const child = spawnTool(command, options, ['ignore', 'pipe', 'pipe']);
  const stdout: string[] = [];
  const stderr: string[] = [];
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      stdout.push(line);
      options.onLine?.(line);
    });
  }
  if (child.stderr !== null) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      stderr.push(line);
      if (stderr.length > TAIL_LINES) stderr.shift();
    });
  }
  const { code, signal } = await childEnd(child, command[0]);
  return { code, signal, stdout: stdout.join('\n'), stderr };
}

/** As `runTool`, but an exit code other than 0 is an error that quotes the tool's last words. */
export async function requireTool(command: readonly [string, ...string[]], options: CommandOptions): Promise<string> {
  const result = await runTool(command, options);
  if (result.code === 0) return result.stdout;
  throw toolFailure(command[0], result);
}

/** Waits for a child's end: its exit code or signal, after all of its output was read. */
export function childEnd(child: ChildProcess, name: string): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'ENOENT' ? missingTool('setpriv') : error);
    });
    child.once('close', (code, signal) => {
      // setpriv answers 127 for a program that does not exist.
      if (code === 127) reject(missingTool(name));
      else resolve({ code, signal });
    });
  });
}

/** The error for a tool that ended badly; a full disk gets its own. */
export function toolFailure(name: string, result: Pick<CommandResult, 'code' | 'signal' | 'stderr'>): DomainError {
  const words = result.stderr.join('\n');
  if (/No space left on device|Disk quota exceeded/.test(words)) return diskFull(result.stderr);
  const how = result.signal === null ? `exit code ${String(result.code)}` : `signal ${result.signal}`;
  const last = result.stderr.filter((line) => line.trim() !== '').slice(-5);
  return new DomainError('unavailable', 'STORE_TOOL_FAILED', `${name} failed (${how})${last.length > 0 ? `: ${last.join(' · ')}` : '.'}`, {
    details: { output: result.stderr },
  });
}

/** A failed file operation as an error for people, when the disk is full; any other error as it is. */
export function explainFailure(error: unknown): unknown {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT' ? diskFull([String(error)]) : error;
}

function diskFull(output: string[]): DomainError {
  return new DomainError('unavailable', 'STORE_DISK_FULL', 'There is no space left on the disk of the store or its cache.', {
    fix: 'Free some space, or point HITHE_STORE and HITHE_CACHE to a larger disk, then deploy again.',
    details: { output },
  });
}

const PACKAGE_OF: Record<string, string> = {
  setpriv: 'util-linux',
  flock: 'util-linux',
  'apt-get': 'apt',
  'apt-cache': 'apt',
  'apt-config': 'apt',
  'dpkg-deb': 'dpkg',
  tar: 'tar',
};

function missingTool(name: string): DomainError {
  return new DomainError(
    'unavailable',
    'STORE_TOOL_MISSING',
    `The program "${name}" is missing on this node; installing software needs it.`,
    {
      fix: `Install the package "${PACKAGE_OF[name] ?? name}" on the node, then deploy again.`,
    },
  );
}
