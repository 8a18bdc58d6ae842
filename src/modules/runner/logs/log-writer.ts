import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DomainError } from '../../../common/domain-error.js';
import { FIXED_ENVIRONMENT, dropTo, hostTool } from '../sandbox/bubblewrap-sandbox.js';
import type { Identity } from '../sandbox/sandbox.types.js';
import { isAlive, processStat } from '../support/proc.js';

/** Ten files of a megabyte each are kept for an allocation. */
const ROTATION = ['s1000000', 'n10'];
const LOADERS = ['lib64/ld-linux-x86-64.so.2', 'lib/ld-linux-aarch64.so.1'];
const TRIPLETS = ['x86_64-linux-gnu', 'aarch64-linux-gnu'];

/** A log writer that runs, named surely enough for a later agent. */
export interface WriterRecord {
  pid: number;
  startTime: number;
}

/** How `s6-log` is started out of its closure: by the closure's own loader, so nothing of the host's libraries is used. */
export function logWriterCommand(closureRoot: string, identity: Identity | undefined): string[] {
  const loader = LOADERS.map((path) => join(closureRoot, path)).find((path) => existsSync(path));
  const program = join(closureRoot, 'usr/bin/s6-log');
  if (loader === undefined || !existsSync(program)) {
    throw new DomainError('unavailable', 'LOG_WRITER_MISSING', `The closure of the port "s6" holds no s6-log: ${closureRoot}`, {
      fix: 'Remove that store entry; it is installed again.',
    });
  }
  const libraries = TRIPLETS.map((triplet) => join(closureRoot, 'usr/lib', triplet)).join(':');
  const command = [loader, '--library-path', libraries, program, '-b', '--', 'T', ...ROTATION, '.'];
  if (identity === undefined) return command;
  return [hostTool('setpriv', 'util-linux'), ...dropTo(identity.uid, identity.gid), ...command];
}

/** Starts a writer that stamps what it reads from `fifo` into `directory`, and outlives this process. */
export function startWriter(command: readonly string[], directory: string, fifo: string, errors: string): ChildProcess {
  const input = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  const stderr = openSync(errors, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
  try {
    const [file = '', ...args] = command;
    // The directory is given as the working directory: the writer's uid cannot enter the agent's own.
    const child = spawn(file, args, {
      stdio: [input, 'ignore', stderr],
      env: { ...FIXED_ENVIRONMENT, TZ: 'UTC0' },
      cwd: directory,
      detached: true,
    });
    child.unref();
    return child;
  } finally {
    closeSync(input);
    closeSync(stderr);
  }
}

/** The writer that an earlier agent started, when it still runs. */
export function runningWriter(file: string): WriterRecord | undefined {
  if (!existsSync(file)) return undefined;
  const record = JSON.parse(readFileSync(file, 'utf8')) as WriterRecord;
  return isAlive(record.pid, record.startTime) ? record : undefined;
}

/** Remembers a writer for later agents. */
export function recordWriter(file: string, pid: number): WriterRecord {
  const record = { pid, startTime: processStat(pid)?.startTime ?? -1 };
  writeFileSync(file, JSON.stringify(record), { mode: 0o600 });
  return record;
}
