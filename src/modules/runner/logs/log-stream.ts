import { type FSWatcher, existsSync } from 'node:fs';
import type { LogLine } from '../../../link/messages.js';
import { watchPath } from '../support/watch-path.js';
import { LogCursor, type LogPosition, readTail } from './log-files.js';
import { type StampedLine, byTime } from './log-line.js';

/** One allocation whose lines belong to a stream. */
export interface LogSource {
  component: string;
  allocationId: string;
  /** Directory of the stored lines; may not exist yet. */
  directory: string;
}

export interface LogStreamOptions {
  /** How many past lines, over all sources. */
  lines: number;
  follow: boolean;
  /** Only later lines; then all of them count as past lines. */
  after?: string | undefined;
}

/** Finds new allocations, and lines whose watch failed. */
const SWEEP_MS = 1_000;
/** A broken stream that resumes after a long time is not sent more than this. */
const MOST_RESUMED = 10_000;

interface Followed {
  source: LogSource;
  cursor: LogCursor;
}

/**
 * Past lines of several allocations in the order of time, then, when following, new ones within milliseconds of being stored, those of
 * allocations that come later included. `sink` may take its time: reading waits for it.
 */
export class LogStream {
  private readonly followed = new Map<string, Followed>();
  private readonly watchers = new Map<string, FSWatcher>();
  private wake: () => void = () => undefined;
  private dirty = true;
  private closed = false;

  constructor(
    private readonly sources: () => LogSource[],
    private readonly options: LogStreamOptions,
    private readonly sink: (lines: LogLine[]) => Promise<void>,
  ) {}

  /** Runs until all was sent, or, when following, until `close`. */
  async run(): Promise<void> {
    const timer = this.options.follow ? setInterval(() => this.notify(), SWEEP_MS).unref() : undefined;
    try {
      await this.sendPast();
      while (this.options.follow && !this.isClosed()) {
        await this.changed();
        await this.sendNew();
      }
    } finally {
      clearInterval(timer);
      for (const { cursor } of this.followed.values()) cursor.close();
      for (const watcher of this.watchers.values()) watcher.close();
    }
  }

  close(): void {
    this.closed = true;
    this.notify();
  }

  /** Looks for new lines and sources now. */
  notify(): void {
    this.dirty = true;
    this.wake();
  }

  private isClosed(): boolean {
    return this.closed;
  }

  private async sendPast(): Promise<void> {
    const { after } = this.options;
    const count = after === undefined ? this.options.lines : MOST_RESUMED;
    const lines = this.sources().flatMap((source) => {
      this.watch(source);
      const tail = existsSync(source.directory) ? readTail(source.directory, count, after) : undefined;
      this.attach(source, tail?.position);
      return (tail?.lines ?? []).map((line) => labelled(source, line));
    });
    const past = count === 0 ? [] : lines.sort(byTime).slice(-count);
    if (past.length > 0) await this.sink(past);
  }

  private async sendNew(): Promise<void> {
    for (const source of this.sources()) this.attach(source, undefined);
    for (;;) {
      const lines = [...this.followed.values()].flatMap(({ source, cursor }) => {
        this.watch(source);
        return existsSync(source.directory) ? cursor.read().map((line) => labelled(source, line)) : [];
      });
      if (lines.length === 0 || this.isClosed()) return;
      await this.sink(lines.sort(byTime));
    }
  }

  private attach(source: LogSource, position: LogPosition | undefined): void {
    if (this.followed.has(source.allocationId)) return;
    this.followed.set(source.allocationId, { source, cursor: new LogCursor(source.directory, position) });
  }

  /** Watches before reading, so that no line falls between. */
  private watch({ allocationId, directory }: LogSource): void {
    if (!this.options.follow || this.watchers.has(allocationId) || !existsSync(directory)) return;
    const watcher = watchPath(directory, () => this.notify());
    if (watcher) this.watchers.set(allocationId, watcher);
  }

  private async changed(): Promise<void> {
    if (!this.dirty) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    this.dirty = false;
  }
}

function labelled(source: LogSource, line: StampedLine): LogLine {
  return { component: source.component, allocationId: source.allocationId, ...line };
}
