import type { FSWatcher } from 'node:fs';
import { exitStatusOf } from '../support/exit-status.js';
import { isAlive } from '../support/proc.js';
import { watchPath } from '../support/watch-path.js';
import { poll } from '../support/wait-until.js';
import { readStatus } from './status-file.js';
import type { Ended, ProcessRecord } from './supervisor.types.js';

/** The sweep finds what the watch cannot: a sandbox whose monitor was killed writes nothing. */
const SWEEP_MS = 1_000;
/** After the sandbox's end, for its monitor to write the exit code. */
const LATE_STATUS_MS = 300;

/** Sends a signal to exactly that process; false when it is gone. */
export function signalProcess(pid: number, startTime: number, signal: NodeJS.Signals): boolean {
  if (!isAlive(pid, startTime)) return false;
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Learns of a sandbox's end, whoever its parent is, and makes sure that nothing of it lives on. */
export class ProcessWatch {
  readonly ended: Promise<Ended>;
  private resolve: (ended: Ended) => void = () => undefined;
  private readonly sweep: NodeJS.Timeout;
  private readonly watcher: FSWatcher | undefined;
  private ending = false;

  constructor(private readonly record: ProcessRecord) {
    this.ended = new Promise((resolve) => {
      this.resolve = resolve;
    });
    this.watcher = watchPath(record.statusFile, () => this.check());
    this.sweep = setInterval(() => this.check(), SWEEP_MS).unref();
    this.check();
  }

  /** How a sandbox ended, by the status that was recorded, if one was. */
  static endedWith(status: number | undefined): Ended {
    return { ...(status === undefined ? {} : exitStatusOf(status)), endedAt: new Date().toISOString() };
  }

  /** Looks now, without waiting for the watch. */
  check(): void {
    if (this.ending) return;
    const { sandboxPid, sandboxStart, statusFile } = this.record;
    if (readStatus(statusFile).exitCode === undefined && isAlive(sandboxPid, sandboxStart)) return;
    this.ending = true;
    void this.finish();
  }

  close(): void {
    clearInterval(this.sweep);
    this.watcher?.close();
  }

  private async finish(): Promise<void> {
    const { sandboxPid, sandboxStart, statusFile } = this.record;
    this.close();
    // The application has ended; daemonised children of it would live on.
    signalProcess(sandboxPid, sandboxStart, 'SIGKILL');
    const gone = (): true | undefined => (isAlive(sandboxPid, sandboxStart) ? undefined : true);
    await poll(gone, { firstMs: 1, maxMs: 50, deadlineMs: Number.POSITIVE_INFINITY });
    const status = await poll(() => readStatus(statusFile).exitCode, { firstMs: 5, maxMs: 50, deadlineMs: LATE_STATUS_MS });
    this.resolve(ProcessWatch.endedWith(status));
  }
}
