import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, closeSync, constants, existsSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { FIXED_ENVIRONMENT, hostTool } from '../sandbox/bubblewrap-sandbox.js';
import type { Identity } from '../sandbox/sandbox.types.js';
import { isAlive } from '../support/proc.js';
import { poll } from '../support/wait-until.js';
import { type WriterRecord, recordWriter, runningWriter, startWriter } from './log-writer.js';

const SWEEP_MS = 1_000;
const DRAIN_DEADLINE_MS = 2_000;

export interface ComponentLogOptions {
  /** The allocation's directory, which only the agent can enter. */
  directory: string;
  /** Who writes: may open its own stdout again through `/dev/stdout`, and nothing else. */
  tenant: Identity;
  /** Who keeps the files; undefined when everything is one uid. */
  writer: Identity | undefined;
  /** Command line of the log writer. */
  command: () => Promise<string[]>;
  logger: Logger;
}

/** Where an allocation's lines are kept. */
export function logDirectory(allocationDirectory: string): string {
  return join(allocationDirectory, 'log');
}

/**
 * The output of one allocation: a FIFO that the component writes and a log writer reads. A component can neither read nor cut its log.
 * While open, the agent holds the FIFO as well, so that the component survives the replacement of a writer.
 */
export class ComponentLog {
  private fifo: number | undefined;
  private writer: WriterRecord | undefined;
  private sweep: NodeJS.Timeout | undefined;
  private starting: Promise<void> | undefined;

  constructor(private readonly options: ComponentLogOptions) {}

  private get fifoPath(): string {
    return join(this.options.directory, 'log.fifo');
  }

  private get recordPath(): string {
    return join(this.options.directory, 'log-writer.json');
  }

  /** Does beforehand what takes long, so that `open` is quick. */
  async prepare(): Promise<void> {
    await this.makePlace();
    await this.options.command();
  }

  /** Opens the pipe and returns a descriptor for a component's stdout and stderr, which the caller closes; `keep` has to follow. */
  async open(): Promise<number> {
    await this.makePlace();
    this.fifo ??= openSync(this.fifoPath, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    return openSync(this.fifoPath, constants.O_WRONLY | constants.O_NOFOLLOW);
  }

  /** Sees to it that somebody stores what comes through the pipe, which holds 64 KiB until then; tries again for as long as it is open. */
  keep(): void {
    const ensure = (): void => {
      this.ensureWriter().catch((error: unknown) => this.options.logger.error({ err: error }, 'the log of a component is not written'));
    };
    this.sweep ??= setInterval(ensure, SWEEP_MS).unref();
    ensure();
  }

  /** After the component's end: lets the writer store what is left, and end. */
  async drain(): Promise<void> {
    await this.starting?.catch(() => undefined);
    const writer = this.writer;
    this.close();
    if (!writer) return;
    const gone = (): true | undefined => (isAlive(writer.pid, writer.startTime) ? undefined : true);
    if (await poll(gone, { firstMs: 1, maxMs: 20, deadlineMs: DRAIN_DEADLINE_MS })) return;
    this.options.logger.warn({ pid: writer.pid }, 'log writer did not end with its component');
  }

  /** Lets go; component and writer go on without this process. */
  close(): void {
    clearInterval(this.sweep);
    this.sweep = undefined;
    this.writer = undefined;
    if (this.fifo !== undefined) closeSync(this.fifo);
    this.fifo = undefined;
  }

  private async makePlace(): Promise<void> {
    const { directory, tenant, writer } = this.options;
    makeDirectory(logDirectory(directory), writer);
    if (!existsSync(this.fifoPath)) await makeFifo(this.fifoPath, tenant);
  }

  private async ensureWriter(): Promise<void> {
    this.starting ??= this.startMissingWriter().finally(() => {
      this.starting = undefined;
    });
    return this.starting;
  }

  private async startMissingWriter(): Promise<void> {
    this.writer ??= runningWriter(this.recordPath);
    if (this.writer && isAlive(this.writer.pid, this.writer.startTime)) return;
    const command = await this.options.command();
    if (this.fifo === undefined) return;
    const errors = join(this.options.directory, 'log-writer.err');
    const child = startWriter(command, logDirectory(this.options.directory), this.fifoPath, errors);
    if (child.pid === undefined) throw (await once(child, 'error'))[0];
    this.writer = recordWriter(this.recordPath, child.pid);
  }
}

function makeDirectory(path: string, owner: Identity | undefined): void {
  if (existsSync(path)) return;
  mkdirSync(path, { mode: 0o700 });
  if (owner) chownSync(path, owner.uid, owner.gid);
}

/** Node.js has no mkfifo(3). */
async function makeFifo(path: string, owner: Identity): Promise<void> {
  const child = spawn(hostTool('mkfifo', 'coreutils'), ['-m', '0600', '--', path], { stdio: 'ignore', env: { ...FIXED_ENVIRONMENT } });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`mkfifo ended with ${String(code)} on ${path}`);
  if (process.geteuid?.() === 0) chownSync(path, owner.uid, owner.gid);
  chmodSync(path, 0o600);
}
