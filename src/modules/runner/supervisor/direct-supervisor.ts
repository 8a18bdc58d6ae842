import { closeSync, constants, openSync } from 'node:fs';
import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import type { Logger } from 'pino';
import { DomainError } from '../../../common/domain-error.js';
import { LOCK_CONFLICT, type Sandbox } from '../sandbox/sandbox.types.js';
import { bootId, childrenOf, isAlive, processStat } from '../support/proc.js';
import { poll } from '../support/wait-until.js';
import { openLock, tryLock } from './file-lock.js';
import { ProcessWatch, signalProcess } from './process-watch.js';
import { readStatus } from './status-file.js';
import type { Adoption, Ended, ProcessRecord, StartRequest, StopRequest, Supervised, Supervisor } from './supervisor.types.js';

/** Bubblewrap needs 11–14 ms to its application's start; a loaded machine may need much longer. */
const START_DEADLINE_MS = 30_000;

/**
 * Holds services as plain detached processes. Their state is in files that bubblewrap itself writes, so neither the end of the agent
 * nor that of bubblewrap's monitor loses one.
 */
export class DirectSupervisor implements Supervisor {
  private readonly watches = new Map<Supervised, ProcessWatch>();
  private readonly bootId = bootId();

  constructor(
    private readonly sandbox: Sandbox,
    private readonly logger: Logger,
  ) {}

  async start(request: StartRequest): Promise<Supervised> {
    let child: ChildProcess;
    const lock = openLock(request.lockFile);
    const status = openSync(request.statusFile, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND, 0o600);
    try {
      child = this.sandbox.spawn(request.spec, { output: request.output, status, lock });
    } finally {
      closeSync(status);
      closeSync(lock);
    }
    await launched(child);
    return this.supervise(await this.identify(request.statusFile, child), child);
  }

  async adopt(statusFile: string, lockFile: string, record?: ProcessRecord): Promise<Adoption> {
    if (record && record.bootId !== this.bootId) return { state: 'ended', ended: { endedAt: new Date().toISOString() } };
    const known = record ?? (await this.recover(statusFile, lockFile));
    if (known && isAlive(known.sandboxPid, known.sandboxStart)) return { state: 'running', process: this.supervise(known) };
    const { sandboxPid, exitCode } = readStatus(statusFile);
    if (!known && sandboxPid === undefined) return { state: 'absent' };
    return { state: 'ended', ended: ProcessWatch.endedWith(exitCode) };
  }

  async stop(process: Supervised, { signal, graceMs }: StopRequest): Promise<Ended> {
    const { appPid, appStart, sandboxPid, sandboxStart } = process.record;
    signalProcess(appPid, appStart, signal);
    let timer: NodeJS.Timeout | undefined;
    const graceOver = new Promise<'grace'>((resolve) => {
      timer = setTimeout(() => resolve('grace'), graceMs);
    });
    const first = await Promise.race([process.ended, graceOver]);
    clearTimeout(timer);
    if (first !== 'grace') return first;
    this.logger.warn({ pid: appPid, signal, graceMs }, 'component ignored its stop signal and is killed');
    signalProcess(sandboxPid, sandboxStart, 'SIGKILL');
    return process.ended;
  }

  isRunning(process: Supervised): boolean {
    return isAlive(process.record.sandboxPid, process.record.sandboxStart);
  }

  close(): void {
    for (const watch of this.watches.values()) watch.close();
    this.watches.clear();
  }

  private supervise(record: ProcessRecord, child?: ChildProcess): Supervised {
    const watch = new ProcessWatch(record);
    child?.once('exit', () => watch.check());
    const supervised: Supervised = { record, ended: watch.ended };
    this.watches.set(supervised, watch);
    void watch.ended.then(() => this.watches.delete(supervised));
    return supervised;
  }

  /** Waits until the application has a pid. A sandbox that ended at once is given the identity that it had. */
  private async identify(statusFile: string, child: ChildProcess): Promise<ProcessRecord> {
    const found = await poll(() => this.tryIdentify(statusFile, child), { firstMs: 1, maxMs: 20, deadlineMs: START_DEADLINE_MS });
    if (found) return found;
    child.kill('SIGKILL');
    throw new DomainError('internal', 'SANDBOX_NOT_STARTED', `The sandbox did not start within ${START_DEADLINE_MS / 1000} s.`);
  }

  private tryIdentify(statusFile: string, child: ChildProcess | undefined): ProcessRecord | undefined {
    const { sandboxPid, pidNamespace, exitCode } = readStatus(statusFile);
    const over = exitCode !== undefined || (child !== undefined && (child.exitCode !== null || child.signalCode !== null));
    if (sandboxPid === undefined) {
      if (!over) return undefined;
      if (child?.exitCode === LOCK_CONFLICT) throw alreadyRunning();
      throw new DomainError('internal', 'SANDBOX_NOT_STARTED', 'The sandbox ended before it began; the log of the component says why.');
    }
    const sandbox = processStat(sandboxPid);
    const [appPid] = sandbox ? childrenOf(sandboxPid) : [];
    const app = appPid === undefined ? undefined : processStat(appPid);
    if (!app && sandbox && !over) return undefined;
    return {
      sandboxPid,
      sandboxStart: sandbox?.startTime ?? -1,
      pidNamespace: pidNamespace ?? 0,
      appPid: app?.pid ?? sandboxPid,
      appStart: app?.startTime ?? -1,
      bootId: this.bootId,
      startedAt: new Date().toISOString(),
      statusFile,
    };
  }

  /** The agent died between a start and its record: while the lock is held, that sandbox lives and its file will name it. */
  private async recover(statusFile: string, lockFile: string): Promise<ProcessRecord | undefined> {
    const lock = await tryLock(lockFile);
    if (lock !== undefined) {
      closeSync(lock);
      return undefined;
    }
    return poll(() => this.tryIdentify(statusFile, undefined), { firstMs: 2, maxMs: 50, deadlineMs: START_DEADLINE_MS });
  }
}

function alreadyRunning(): DomainError {
  return new DomainError('conflict', 'ALREADY_RUNNING', 'Another process of this component still runs in its directory.', {
    fix: 'Wait for it to end, or stop the component.',
  });
}

async function launched(child: ChildProcess): Promise<void> {
  if (child.pid !== undefined) return;
  const [error] = (await once(child, 'error')) as [Error];
  throw new DomainError('unavailable', 'SANDBOX_NOT_STARTED', `The sandbox could not be started: ${error.message}`, { cause: error });
}
