import { closeSync } from 'node:fs';
import type { Logger } from 'pino';
import type { Clock } from '../../../common/clock.js';
import type { UsageReport } from '../../../link/messages.js';
import { codeOf } from '../../../common/thrown.js';
import type { ProcessRecord } from '../supervisor/supervisor.types.js';
import { directorySize } from './directory-size.js';
import { advance, daysOf, type MeterState, type OwnTicks, ownTicks, type Reading } from './meter.js';
import { type ProcessSample, sampleProcesses, TICKS_PER_SECOND, uptime } from './process-samples.js';
import type { StorageState, UsageJournal, UsedComponent } from './usage-journal.js';

/** An allocation as far as its use of the machine goes. */
export interface MeteredAllocation {
  id: string;
  component: UsedComponent;
  /** While it runs. */
  process?: ProcessRecord;
}

export interface UsageMeterOptions {
  journal: UsageJournal;
  /** All that are not removed. */
  allocations: () => MeteredAllocation[];
  /** Opens the directory of an allocation's component; undefined when there is none. */
  openDirectory: (allocationId: string) => number | undefined;
  /** Seconds between two looks. */
  interval: number;
  clock: Clock;
  logger: Logger;
}

const LOOKS_PER_REPORT = 4;
const LOOKS_PER_MEASURE = 40;

/** Counts what components use: processor time and memory at each look, stored data now and then. Counting goes on without a control plane. */
export class UsageMeter {
  /** Called when there is a report to send. */
  onReport: (report: UsageReport) => void = () => undefined;
  private readonly meters: Map<string, MeterState>;
  private own = new Map<string, OwnTicks>();
  private looks = 0;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();
  private measuring: Promise<void> | undefined;
  private readonly ending = new AbortController();

  constructor(private readonly options: UsageMeterOptions) {
    this.meters = options.journal.meters();
  }

  start(): void {
    this.schedule();
  }

  private get closed(): boolean {
    return this.ending.signal.aborted;
  }

  /** The report that the control plane has not confirmed, if any. */
  pending(): UsageReport | undefined {
    return this.closed ? undefined : this.options.journal.pending();
  }

  /** The control plane has counted a report; what came meanwhile goes with the next. */
  confirmed(stream: string, sequence: number): void {
    if (!this.closed) this.options.journal.confirmed(stream, sequence);
  }

  async close(): Promise<void> {
    this.ending.abort();
    clearTimeout(this.timer);
    await this.looking;
    await this.measuring;
    this.options.journal.close();
  }

  private schedule(): void {
    this.timer = setTimeout(() => {
      this.looking = this.look()
        .catch((error: unknown) => this.options.logger.error({ err: error }, 'what components use could not be counted'))
        .finally(() => {
          if (!this.closed) this.schedule();
        });
    }, this.options.interval * 1_000).unref();
  }

  private async look(): Promise<void> {
    const allocations = this.options.allocations();
    await this.count(allocations);
    if (this.closed) return;
    if (this.looks % LOOKS_PER_MEASURE === 0) {
      this.measuring ??= this.measure(allocations)
        .catch((error: unknown) => this.options.logger.error({ err: error }, 'stored data could not be measured'))
        .finally(() => (this.measuring = undefined));
    }
    this.looks += 1;
    if (this.looks % LOOKS_PER_REPORT !== 0) return;
    this.options.journal.seal();
    const report = this.options.journal.pending();
    if (report !== undefined) this.onReport(report);
  }

  private async count(allocations: readonly MeteredAllocation[]): Promise<void> {
    const running = new Map(allocations.flatMap(({ id, process }) => (process === undefined ? [] : [[process.pidNamespace, id]])));
    const samples = await sampleProcesses(running);
    if (this.closed) return;
    const now = { uptime: uptime(), time: this.options.clock.now().getTime() };
    const own = new Map<string, OwnTicks>();
    const { journal } = this.options;
    journal.batch(() => {
      for (const allocation of allocations) {
        const processes = samples.get(allocation.id) ?? [];
        if (allocation.process !== undefined && processes.length > 0) {
          this.countOne(allocation, allocation.process, processes, now);
          own.set(allocation.id, ownTicks(processes));
        }
      }
      this.forgetMeters(new Set(allocations.map(({ id }) => id)));
    });
    this.own = own;
  }

  private countOne(
    { id, component }: MeteredAllocation,
    record: ProcessRecord,
    processes: readonly ProcessSample[],
    now: { uptime: number; time: number },
  ): void {
    const { journal } = this.options;
    const sandbox = `${record.bootId}:${record.sandboxPid}:${record.sandboxStart}`;
    const reading: Reading = { sandbox, startedAt: record.sandboxStart / TICKS_PER_SECOND, uptime: now.uptime, processes };
    const { usage, after } = advance(this.meters.get(id), this.own.get(id) ?? new Map(), reading);
    // What ran before anything was counted on this machine is counted from now on.
    const isOlder = this.meters.get(id)?.sandbox !== sandbox && Date.parse(record.startedAt) < journal.began;
    if (!isOlder) {
      for (const { day, share } of daysOf(now.time - usage.seconds * 1_000, now.time)) {
        journal.add(component, day, { cpuSeconds: usage.cpuSeconds * share, memoryByteSeconds: usage.memoryByteSeconds * share });
      }
    }
    this.meters.set(id, after);
    journal.saveMeter(id, after);
  }

  private forgetMeters(present: ReadonlySet<string>): void {
    for (const id of this.meters.keys()) {
      if (present.has(id)) continue;
      this.meters.delete(id);
      this.options.journal.forgetMeter(id);
    }
  }

  /** One directory after the other: nobody waits for it. */
  private async measure(allocations: readonly MeteredAllocation[]): Promise<void> {
    const { journal } = this.options;
    const byComponent = new Map(allocations.map((allocation) => [keyOf(allocation.component), allocation]));
    for (const [key, { id, component }] of byComponent) {
      const bytes = await this.sizeOf(id);
      if (this.closed) return;
      if (bytes === undefined) this.options.logger.warn(component, 'the stored data of a component could not be measured');
      else this.note(key, component, bytes, journal.storage().get(key));
    }
    for (const [key, state] of journal.storage()) {
      if (byComponent.has(key)) continue;
      this.note(key, state.component, 0, state);
      journal.forgetStorage(key);
    }
  }

  private async sizeOf(allocationId: string): Promise<number | undefined> {
    try {
      const descriptor = this.options.openDirectory(allocationId);
      if (descriptor === undefined) return 0;
      try {
        return await directorySize(descriptor, this.ending.signal);
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      // A tenant may have put something else in the directory's place: it is not followed.
      if (codeOf(error) === 'ELOOP' || codeOf(error) === 'ENOTDIR') return undefined;
      throw error;
    }
  }

  /** The mean of two measures, for the time between them. */
  private note(key: string, component: UsedComponent, bytes: number, before: StorageState | undefined): void {
    const { journal, clock } = this.options;
    const at = clock.now().getTime();
    const from = Math.min(before?.at ?? at, at);
    const byteSeconds = (((before?.bytes ?? bytes) + bytes) / 2) * ((at - from) / 1_000);
    const stored = { bytes, at: new Date(at).toISOString() };
    journal.batch(() => {
      for (const { day, share } of daysOf(from, at)) journal.add(component, day, { storedByteSeconds: byteSeconds * share, stored });
      journal.saveStorage(key, { at, bytes, component });
    });
  }
}

function keyOf({ projectId, component }: UsedComponent): string {
  return `${projectId} ${component}`;
}
