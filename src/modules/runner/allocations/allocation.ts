import { closeSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { Clock } from '../../../common/clock.js';
import { DomainError } from '../../../common/domain-error.js';
import type { AllocationState, DesiredAllocation, ObservedAllocation } from '../../../link/messages.js';
import type { HealthState } from '../health/health-tracker.js';
import { type ComponentLog, logDirectory } from '../logs/component-log.js';
import { readTail } from '../logs/log-files.js';
import type { Identity } from '../sandbox/sandbox.types.js';
import { describeExit, exitOf } from '../support/exit-status.js';
import type { Ended, ProcessRecord, Supervised, Supervisor } from '../supervisor/supervisor.types.js';
import type { AllocationRecord } from './allocation-record.js';
import { type Failure, type JournalledProcess, StepFailed } from './allocation.types.js';
import { type Action, decide } from './decision.js';
import type { ExportsByNeed } from './environment.js';
import { observationOf } from './observation.js';
import { type Preparation, type Progress, failureFrom, placeOf } from './preparation.js';
import type { ServiceControl } from './service-control.js';
import { Wakeup } from './support.js';

const LOG_TAIL = 50;
/** Length of a time stamp down to milliseconds, where ours and the log writer's are alike. */
const ISO_MILLISECONDS = 23;
/** After a failure of the agent itself, such as a full disk under its journal. */
const RECOVERY_MS = 5_000;

/** What one allocation asks of its surroundings. */
export interface Surroundings {
  /** Why a start has to wait, such as for another release of the same component to end. */
  blockedBy(allocation: Allocation): string | undefined;
  exportsOf(desired: DesiredAllocation): ExportsByNeed;
  /** Whether another allocation uses the same component's directory. */
  sharesDirectory(allocation: Allocation): boolean;
  changed(allocation: Allocation): void;
  progress: Progress;
  /** Blanks out the secrets of the project in a text. */
  redact(text: string): string;
}

export interface AllocationOptions {
  supervisor: Supervisor;
  preparation: Preparation;
  services: ServiceControl;
  log: ComponentLog;
  /** Only the agent can enter it. */
  directory: string;
  lockFile: string;
  identity: Identity;
  clock: Clock;
  logger: Logger;
  surroundings: Surroundings;
}

/** Brings one allocation from what is to what is wanted, one journalled step after the other, and reports what it observes. */
export class Allocation {
  private readonly wakeup = new Wakeup();
  private process: Supervised | undefined;
  private stopping: Supervised | undefined;
  private startedAt = 0;
  private lastStart = '';
  private preparing: AbortController | undefined;
  private halting = false;
  private performing = false;
  private closed = false;
  private state: AllocationState = 'pending';
  private step: string | undefined;
  private message: string | undefined;
  private health: HealthState = { health: 'unknown' };
  private lastLines: string[] | undefined;
  private reported: ObservedAllocation | undefined;
  /** What is observed answers this epoch: a newer one counts only once its first step is taken. */
  private answeredEpoch = 0;
  private markAdopted: () => void = () => undefined;
  /** Resolves when it is known what an earlier agent left. */
  readonly adopted = new Promise<void>((resolve) => {
    this.markAdopted = resolve;
  });

  constructor(
    private readonly record: AllocationRecord,
    private readonly options: AllocationOptions,
  ) {}

  get desired(): DesiredAllocation {
    return this.record.desired;
  }
  get id(): string {
    return this.desired.id;
  }
  get isRunning(): boolean {
    return this.process !== undefined;
  }
  /** Whether something runs, or may run once the step under way has ended. */
  get isActive(): boolean {
    return this.isRunning || this.performing;
  }
  get isHealthy(): boolean {
    return this.process !== undefined && this.health.health === 'healthy';
  }
  get isRemoved(): boolean {
    return this.record.memory.removed;
  }
  get hasFailed(): boolean {
    return this.record.memory.final;
  }
  get exports(): Readonly<Record<string, string>> | undefined {
    return this.record.memory.prepared?.exports;
  }
  /** What runs, as the machine knows it. */
  get runningProcess(): ProcessRecord | undefined {
    return this.process?.record;
  }
  get pidNamespace(): number | undefined {
    return this.process?.record.pidNamespace;
  }

  /** Takes over what an earlier agent left running, then works until `close`. */
  async run(): Promise<void> {
    // What runs stays journalled: a later agent may find it.
    await this.adopt().catch((error: unknown) => this.record.giveUp(failureFrom('start', error)));
    this.markAdopted();
    while (!this.isClosed()) {
      try {
        await this.advance();
      } catch (error) {
        this.options.logger.error({ err: error }, 'an allocation cannot be looked after at this moment');
        await this.wakeup.wait(RECOVERY_MS);
      }
    }
  }

  /** Takes what the control plane wants now; an older epoch is refused. */
  update(desired: DesiredAllocation): void {
    const answer = this.record.accept(desired);
    if (answer === 'obsolete') this.preparing?.abort();
    if (answer !== 'ignored') this.wake();
  }

  /** Looks again whether there is something to do. */
  wake(): void {
    this.wakeup.signal();
  }

  /** Stops the process whatever is wanted; a later agent starts it again. */
  halt(): void {
    this.halting = true;
    this.preparing?.abort();
    this.wake();
  }

  /** Ends this object; the process goes on. */
  close(): void {
    this.closed = true;
    this.preparing?.abort();
    this.options.services.unwatch(this.id);
    this.options.log.close();
    this.wake();
  }

  /** What the control plane is told. */
  observe(): ObservedAllocation {
    const { id, answeredEpoch: epoch, state, step, message, health, lastLines, desired } = this;
    const { memory } = this.record;
    const restartNonce = desired.desired === 'running' ? memory.doneNonce : desired.restartNonce;
    const { uid } = this.options.identity;
    return observationOf({ id, epoch, restartNonce, state, step, message, process: this.process?.record, uid, health, lastLines }, memory);
  }

  private async advance(): Promise<void> {
    const action = this.next();
    if (action.kind !== 'wait') {
      await this.perform(action.kind);
      return;
    }
    this.message = action.message;
    if (this.desired.desired !== 'running') this.record.memory.doneNonce = this.desired.restartNonce;
    this.report(action.state);
    await this.wakeup.wait(action.forMs);
  }

  private next(): Action {
    const { desired, isPrepared: prepared, isCurrent: current, backOff, memory } = this.record;
    this.answeredEpoch = desired.epoch;
    const running = this.process !== undefined;
    const blocked = !running && prepared ? this.options.surroundings.blockedBy(this) : undefined;
    const { halting } = this;
    return decide({
      desired: desired.desired,
      ...{ halting, prepared, running, current, backOff, blocked },
      failed: memory.final,
      removed: memory.removed,
    });
  }

  private async perform(kind: 'prepare' | 'start' | 'stop' | 'remove'): Promise<void> {
    this.message = undefined;
    this.performing = true;
    try {
      if (kind === 'prepare') await this.prepare();
      else if (kind === 'start') await this.start();
      else if (kind === 'stop') await this.stop();
      else await this.remove();
    } catch (error) {
      const failure = failureFrom(kind, error);
      // What a script printed is for the tenant alone, so it stays out of the agent's own log.
      const isExpected = error instanceof StepFailed || error instanceof DomainError;
      this.options.logger.warn(
        { step: failure.step, reason: this.options.surroundings.redact(failure.message), ...(isExpected ? {} : { err: error }) },
        'a step of an allocation failed',
      );
      if (kind === 'start') this.failedToStart({ logTail: this.logTail(), ...failure });
      else this.record.giveUp(failure);
      // Whatever is wanted next, a process that cannot be stopped is not asked again and again without a pause.
      if (kind === 'stop') await this.wakeup.wait(RECOVERY_MS);
    } finally {
      this.step = undefined;
      this.performing = false;
      if (this.halting) this.options.surroundings.changed(this);
    }
  }

  private async prepare(): Promise<void> {
    const { desired } = this;
    const abort = new AbortController();
    this.preparing = abort;
    this.report('preparing');
    const progress: Progress = (step, text) => {
      this.step = step;
      this.report('preparing');
      this.options.surroundings.progress(step, text);
    };
    try {
      // Meanwhile; what fails in it is told once all else is prepared.
      const log = this.options.log.prepare();
      log.catch(() => undefined);
      const prepared = await this.options.preparation.prepare(desired, this.options.identity, progress, abort.signal);
      await log;
      this.record.memory.prepared = prepared;
      this.record.memory.removed = false;
      this.record.save();
      this.options.surroundings.changed(this);
    } catch (error) {
      if (!abort.signal.aborted) throw error;
      this.options.logger.info('preparation was cancelled: something else is wanted now');
    } finally {
      this.preparing = undefined;
    }
  }

  private async start(): Promise<void> {
    const { desired, options, record } = this;
    const { memory } = record;
    if (!memory.prepared) return;
    this.lastStart = options.clock.now().toISOString().slice(0, ISO_MILLISECONDS);
    this.lastLines = undefined;
    this.report('starting');
    const output = await options.log.open();
    try {
      rmSync(join(options.directory, `status-${memory.starts}.json`), { force: true });
      memory.starts += 1;
      const statusFile = join(options.directory, `status-${memory.starts}.json`);
      const journalled = record.starting(statusFile);
      const needs = options.surroundings.exportsOf(desired);
      const process = await options.services.start(desired, options.identity, memory.prepared, needs, (spec) =>
        options.supervisor.start({ spec, statusFile, lockFile: options.lockFile, output }),
      );
      this.running(process, journalled, 0);
    } finally {
      closeSync(output);
      options.log.keep();
    }
    this.report('running');
  }

  /** A restart that was asked for is carried out by this too: who asked is told why it failed. */
  private failedToStart(failure: Failure): void {
    this.record.memory.doneNonce = this.desired.restartNonce;
    this.record.failed(failure, 0);
  }

  /** Takes note of a process, started or found, and journals it before anybody is told. */
  private running(process: Supervised, journalled: JournalledProcess, runningFor: number): void {
    this.process = process;
    this.startedAt = this.options.clock.monotonic() - runningFor;
    this.state = 'running';
    this.health = { health: 'unknown' };
    this.record.running({ ...journalled, record: process.record });
    void process.ended.then((ended) => this.ended(process, ended)).catch((error: unknown) => this.options.logger.error({ err: error }));
    this.options.services.watch(this.id, {
      allocation: this.desired,
      identity: this.options.identity,
      prepared: this.record.memory.prepared,
      needs: () => this.options.surroundings.exportsOf(this.desired),
      running: runningFor,
      onChange: (health) => {
        if (this.process !== process) return;
        this.health = health;
        if (health.health === 'healthy') delete this.record.memory.failure;
        this.report(this.state);
      },
    });
  }

  private async stop(): Promise<void> {
    const { process } = this;
    if (!process) return;
    this.stopping = process;
    if (this.health.health !== 'healthy') this.lastLines = this.logTail();
    this.report('stopping');
    const request = await this.options.services.stopRequest(this.record.memory.prepared);
    await this.options.supervisor.stop(process, request);
    this.options.services.unwatch(this.id);
    this.process = undefined;
    this.stopping = undefined;
    delete this.record.memory.failure;
    this.record.ended();
    // Its directory is free for others from here on.
    this.options.surroundings.changed(this);
    await this.options.log.drain();
  }

  /** The process ended by itself, unless a stop is under way. */
  private async ended(process: Supervised, ended: Ended): Promise<void> {
    if (this.closed || this.stopping === process) return;
    this.options.services.unwatch(this.id);
    await this.options.log.drain();
    // Meanwhile a stop may have taken it for its own.
    if (this.process !== process || this.isStopping(process)) return;
    const exit = exitOf(ended);
    const failure = { step: 'start', message: `The process ended by itself with ${describeExit(exit)}.`, exit, logTail: this.logTail() };
    this.process = undefined;
    this.record.failed(failure, this.options.clock.monotonic() - this.startedAt);
    this.options.surroundings.changed(this);
    this.wake();
  }

  private async remove(): Promise<void> {
    this.report('stopping');
    const shared = this.options.surroundings.sharesDirectory(this);
    const aside = await this.options.services.remove(this.desired, this.options.identity, this.record.memory.prepared, shared);
    if (aside !== undefined) this.options.logger.info({ aside }, 'data of a removed component was set aside');
    if (!shared) this.options.preparation.forget(placeOf(this.desired));
    delete this.record.memory.prepared;
    this.record.memory.removed = true;
    this.record.save();
  }

  /** Finds what an earlier agent left: a process, the news of its end, or a start that never came to be. */
  private async adopt(): Promise<void> {
    const journalled = this.record.memory.process;
    if (!journalled) return;
    const adoption = await this.options.supervisor.adopt(journalled.statusFile, this.options.lockFile, journalled.record);
    if (adoption.state === 'running') {
      const runningFor = Math.max(0, this.options.clock.now().getTime() - Date.parse(adoption.process.record.startedAt));
      this.running(adoption.process, journalled, runningFor);
      closeSync(await this.options.log.open());
      this.options.log.keep();
      this.options.logger.info({ pid: adoption.process.record.appPid }, 'took over a running component');
      return;
    }
    this.record.ended();
    if (adoption.state === 'ended') this.options.logger.info(adoption.ended, 'a component ended while no agent ran');
  }

  /** What the process printed since its start, its last lines. */
  private logTail(): string[] {
    const lines = readTail(logDirectory(this.options.directory), LOG_TAIL).lines;
    return lines.filter(({ at }) => at.slice(0, ISO_MILLISECONDS) >= this.lastStart).map(({ text }) => text);
  }

  private report(state: AllocationState): void {
    this.state = state;
    const observed = this.observe();
    if (isDeepStrictEqual(observed, this.reported)) return;
    this.reported = observed;
    this.options.surroundings.changed(this);
  }

  private isClosed(): boolean {
    return this.closed;
  }

  private isStopping(process: Supervised): boolean {
    return this.stopping === process;
  }
}
