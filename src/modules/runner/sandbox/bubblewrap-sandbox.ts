import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DomainError } from '../../../common/domain-error.js';
import { exitStatusOf } from '../support/exit-status.js';
import { type BwrapLife, bwrapArguments } from './bwrap-arguments.js';
import { DescriptorTable } from './descriptors.js';
import { MARK_VARIABLE } from './orphans.js';
import { BoundedBuffer, LineSplitter, LineTail } from './output-capture.js';
import { LOCK_CONFLICT, type RunOptions, type RunResult, type Sandbox, type SandboxIo, type SandboxSpec } from './sandbox.types.js';

/** The only environment of setpriv and bubblewrap themselves: a tenant's must never reach a privileged process. */
export const FIXED_ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' } as const;
export const TAIL_LINES = 50;
const MAX_STDOUT = 1024 * 1024;

/** Absolute path of a host tool, or `HOST_TOOL_MISSING` with what to install. */
export function hostTool(name: string, debianPackage: string): string {
  const found = FIXED_ENVIRONMENT.PATH.split(':')
    .map((directory) => join(directory, name))
    .find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new DomainError('unavailable', 'HOST_TOOL_MISSING', `This machine lacks "${name}", without which no component runs.`, {
    fix: `Install it: apt-get install ${debianPackage}`,
  });
}

/** How setpriv turns root into `uid` for good: no groups, no capabilities, no way back. */
export function dropTo(uid: number, gid: number): string[] {
  const drop = ['--clear-groups', '--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-all', '--no-new-privs'];
  return [`--reuid=${uid}`, `--regid=${gid}`, ...drop, '--'];
}

/**
 * Sandboxes made with bubblewrap. In `root` mode the uid is dropped before any namespace is made; in `rootless` mode everything
 * is one uid and namespaces are the only wall. Nothing is inherited: environment and arguments travel by descriptor.
 */
export class BubblewrapSandbox implements Sandbox {
  readonly mode: 'root' | 'rootless';
  private readonly bwrap: string;
  private readonly setpriv: string | undefined;
  /** Takes the lock in the same process that becomes the sandbox: a fork of this one costs as much as all the rest of a start. */
  private readonly locked: readonly string[];

  /** `mark` names the one-off sandboxes of this agent, so that a later one finds what was left of them. */
  constructor(
    root: boolean,
    private readonly mark = 'unmarked',
  ) {
    this.mode = root ? 'root' : 'rootless';
    this.bwrap = hostTool('bwrap', 'bubblewrap');
    const flock = hostTool('flock', 'util-linux');
    this.locked = [hostTool('sh', 'dash'), '-c', `${flock} --nonblock "$0" || exit ${LOCK_CONFLICT}; exec "$@"`];
    this.setpriv = root ? hostTool('setpriv', 'util-linux') : undefined;
  }

  async run(spec: SandboxSpec, options: RunOptions): Promise<RunResult> {
    const table = new DescriptorTable(options.stdin ?? 'ignore', 'pipe', 'pipe');
    const child = this.launch(spec, table, { dieWithParent: true });
    return collect(child, options);
  }

  spawn(spec: SandboxSpec, io: SandboxIo): ChildProcess {
    const table = new DescriptorTable('ignore', io.output, io.output);
    const life = { dieWithParent: false, status: table.pass(io.status), lock: table.pass(io.lock) };
    const child = this.launch(spec, table, life);
    child.unref();
    return child;
  }

  private launch(spec: SandboxSpec, table: DescriptorTable, life: BwrapLife): ChildProcess {
    this.checkIdentity(spec);
    try {
      const args = bwrapArguments(spec, table, life);
      if (args.some((arg) => arg.includes('\0'))) {
        throw new DomainError('invalid', 'NUL_IN_ENVIRONMENT', 'A variable or path of the component holds a NUL character.', {
          fix: 'Remove it from the vars or env of the component.',
        });
      }
      const number = table.passContent(args.map((arg) => `${arg}\0`).join(''));
      const inner = [this.bwrap, '--args', String(number), '--', ...spec.command];
      const dropped = this.setpriv === undefined ? inner : [this.setpriv, ...dropTo(spec.identity.uid, spec.identity.gid), ...inner];
      const [file = '', ...rest] = life.lock === undefined ? dropped : [...this.locked, String(life.lock), ...dropped];
      return spawn(file, rest, {
        stdio: table.array,
        env: { ...FIXED_ENVIRONMENT, ...(life.dieWithParent ? { [MARK_VARIABLE]: this.mark } : {}) },
        cwd: '/',
        detached: true,
      });
    } finally {
      table.close();
    }
  }

  /** Running as root inside would make every other wall moot, so it is refused whoever asks. */
  private checkIdentity({ identity }: SandboxSpec): void {
    const own = process.geteuid?.() ?? 0;
    const allowed = this.mode === 'root' ? identity.uid > 0 && identity.gid > 0 : identity.uid === own;
    if (allowed) return;
    throw new DomainError('internal', 'SANDBOX_IDENTITY_REFUSED', `A sandbox must not run as uid ${identity.uid} in ${this.mode} mode.`);
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Waits for the child's end while it gathers output; ends the whole sandbox on time-out or abort. */
export function collect(child: ChildProcess, options: RunOptions): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const tail = new LineTail(TAIL_LINES);
    const stdout = new BoundedBuffer(options.maxOutput ?? MAX_STDOUT);
    const splitters = [child.stdout, child.stderr].map((stream, index) => {
      const splitter = new LineSplitter((line) => {
        tail.push(line);
        options.onLine?.(line);
      });
      stream?.on('data', (chunk: Buffer) => {
        if (index === 0) stdout.write(chunk);
        splitter.write(chunk);
      });
      return splitter;
    });
    let stopped: 'time' | 'abort' | undefined;
    // With --die-with-parent the end of the monitor is the end of the sandbox's first process, and so of all in it; during its set-up,
    // before it can ask for that, the first process is in the monitor's group.
    const stop = (why: 'time' | 'abort') => {
      stopped ??= why;
      killGroup(child);
    };
    const timer = setTimeout(() => stop('time'), options.timeoutMs);
    const onAbort = (): void => stop('abort');
    options.signal?.addEventListener('abort', onAbort);
    const settle = (): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      for (const splitter of splitters) splitter.end();
    };
    child.on('error', (error) => {
      settle();
      reject(error);
    });
    child.on('close', (code, signal) => {
      settle();
      const exit = stopped !== undefined ? {} : signal === null ? exitStatusOf(code ?? 0) : { signal };
      const how = { timedOut: stopped === 'time', aborted: stopped === 'abort' };
      resolve({ ...exit, ...how, stdout: stdout.get(), truncated: stdout.truncated, tail: tail.get() });
    });
    if (options.signal?.aborted) onAbort();
  });
}
