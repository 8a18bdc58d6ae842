import { closeSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { Clock } from '../../../common/clock.js';
import type { AllocationState, DesiredAllocation, ObservedAllocation } from '../../../link/messages.js';
import type { HealthState } from '../health/health-tracker.js';
import { readTail } from '../logs/log-files.js';
import { type ComponentLog, logDirectory } from '../logs/component-log.js';
import type { Identity } from '../sandbox/sandbox.types.js';
import { describeExit } from '../support/exit-status.js';
import { RestartPolicy, type RestartSettings } from '../supervisor/restart-policy.js';
import type { Ended, Supervised, Supervisor } from '../supervisor/supervisor.types.js';
import { type AllocationMemory, type Failure, FRESH_MEMORY, type JournalledProcess } from './allocation.types.js';
import { type Action, decide } from './decision.js';
import type { ExportsByNeed } from './environment.js';
import type { Journal } from './journal.js';
import { type Preparation, type Progress, failureFrom, placeOf } from './preparation.js';
import type { ServiceControl } from './service-control.js';
import { preparationKey, startKey } from './specification.js';
import { Wakeup } from './support.js';

const LOG_TAIL = 50;
/** Length of a time stamp down to milliseconds, where ours and the log writer's are alike. */
const ISO_MILLISECONDS = 23;

/** What one allocation asks of its surroundings. */
export interface Surroundings {
  /** Why a start has to wait, such as for another release of the same component to end. */
  blockedBy(allocation: Allocation): string | undefined;
  exportsOf(desired: DesiredAllocation): ExportsByNeed;
  /** Whether another allocation uses the same component's directory. */
  sharesDirectory(allocation: Allocation): boolean;
  changed(allocation: Allocation): void;
  progress: Progress;
}

export interface AllocationOptions {
  journal: Journal;
  supervisor: Supervisor;
  preparation: Preparation;
  services: ServiceControl;
  log: ComponentLog;
  /** Only the agent can enter it. */
  directory: string;
  lockFile: string;
  identity: Identity;
  restart: RestartSettings;
  clock: Clock;
  logger: Logger;
  surroundings: Surroundings;
}

/** Brings one allocation from what is to what is wanted, one journalled step after the other, and reports what it observes. */
export class Allocation {
  private readonly wakeup = new Wakeup();
  private readonly policy: RestartPolicy;
  private process: Supervised | undefined;
  private stopping: Supervised | undefined;
  private startedAt = 0;
  private backOffUntil = 0;
  private lastStart = '';
  private preparing: AbortController | undefined;
  private halting = false;
  private closed = false;
  private state: AllocationState = 'pending';
  private step: string | undefined;
  private message: string | undefined;
  private health: HealthState = { health: 'unknown' };
  private reported: ObservedAllocation | undefined;
  /** What is observed answers this epoch: a newer one counts only once its first step is taken. */
  private answeredEpoch = 0;
  private markAdopted: () => void = () => undefined;
  /** Resolves when it is known what an earlier agent left. */
  readonly adopted = new Promise<void>((resolve) => {
    this.markAdopted = resolve;
  });

  constructor(
    public desired: DesiredAllocation,
    private readonly memory: AllocationMemory,
    private readonly options: AllocationOptions,
  ) {
    this.policy = new RestartPolicy(memory.restartsInARow, options.restart);
  }

  /** A memory for an allocation that is new. */
  static fresh(): AllocationMemory {
    return { ...FRESH_MEMORY };
  }

  get id(): string {
    return this.desired.id;
  }
  get isRunning(): boolean {
    return this.process !== undefined;
  }
  get isHealthy(): boolean {
    return this.process !== undefined && this.health.health === 'healthy';
  }
  get hasFailed(): boolean {
    return this.memory.final;
  }
  get exports(): Readonly<Record<string, string>> | undefined {
    return this.memory.prepared?.exports;
  }
  get pidNamespace(): number | undefined {
    return this.process?.record.pidNamespace;
  }

  /** Takes over what an earlier agent left running, then works until `close`. */
  async run(): Promise<void> {
    // What runs stays journalled: a later agent may find it.
    await this.adopt().catch((error: unknown) => this.giveUp(failureFrom('start', error)));
    this.markAdopted();
    while (!this.isClosed()) {
      const action = this.next();
      if (action.kind !== 'wait') await this.perform(action.kind);
      else {
        this.rest(action);
        await this.wakeup.wait(action.forMs);
      }
    }
  }

  /** Takes what the control plane wants now; an older epoch is refused. */
  update(desired: DesiredAllocation): void {
    if (desired.epoch < this.desired.epoch || isDeepStrictEqual(desired, this.desired)) return;
    const obsolete = desired.desired === 'removed' || desired.desired === 'stopped' || preparationKey(desired) !== preparationKey(this.desired);
    this.desired = desired;
    this.memory.final = false;
    delete this.memory.failure;
    this.policy.reset();
    this.backOffUntil = 0;
    this.save();
    if (obsolete) this.preparing?.abort();
    this.wake();
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
    const { memory, process } = this;
    const failure = memory.failure;
    const running = process ? { pid: process.record.appPid, uid: this.options.identity.uid, startedAt: process.record.startedAt } : {};
    const step = this.step ?? failure?.step;
    const message = this.message ?? failure?.message;
    return {
      id: this.id,
      epoch: this.answeredEpoch,
      restartNonce: this.desired.desired === 'running' ? memory.doneNonce : this.desired.restartNonce,
      state: this.state,
      health: process ? this.health.health : 'unknown',
      ...(process && this.health.message !== undefined ? { healthMessage: this.health.message } : {}),
      ...(process && this.health.since !== undefined ? { healthSince: this.health.since } : {}),
      ...(step === undefined ? {} : { step }),
      ...(message === undefined ? {} : { message }),
      ...running,
      restarts: memory.restarts,
      ...(failure?.exit ? { exit: failure.exit } : {}),
      ...(failure?.logTail ? { logTail: failure.logTail } : {}),
      ...(memory.prepared ? { resolvedVersion: memory.prepared.resolvedVersion, storeDigest: memory.prepared.storeDigest } : {}),
      ...(memory.prepared?.commit === undefined ? {} : { commit: memory.prepared.commit }),
    };
  }

  private next(): Action {
    const { desired, memory } = this;
    this.answeredEpoch = desired.epoch;
    const current = memory.process?.startKey === startKey(desired) && memory.process.restartNonce >= desired.restartNonce;
    const prepared = memory.prepared?.key === preparationKey(desired);
    return decide({
      desired: desired.desired,
      halting: this.halting,
      prepared,
      failed: memory.final,
      running: this.process !== undefined,
      current,
      backOff: Math.max(0, this.backOffUntil - this.options.clock.monotonic()),
      blocked: this.process === undefined && prepared ? this.options.surroundings.blockedBy(this) : undefined,
      removed: memory.removed,
    });
  }

  private async perform(kind: 'prepare' | 'start' | 'stop' | 'remove'): Promise<void> {
    this.message = undefined;
    try {
      if (kind === 'prepare') await this.prepare();
      else if (kind === 'start') await this.start();
      else if (kind === 'stop') await this.stop();
      else await this.remove();
    } catch (error) {
      this.fail(kind === 'start' ? 'start' : kind, error);
    } finally {
      this.step = undefined;
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
      await this.options.log.prepare();
      this.memory.prepared = await this.options.preparation.prepare(desired, this.options.identity, progress, abort.signal);
      this.memory.removed = false;
      this.save();
      this.options.surroundings.changed(this);
    } catch (error) {
      if (!abort.signal.aborted) throw error;
      this.options.logger.info({ allocation: this.id }, 'preparation was cancelled: something else is wanted now');
    } finally {
      this.preparing = undefined;
    }
  }

  private async start(): Promise<void> {
    const { desired, memory, options } = this;
    const { prepared } = memory;
    if (!prepared) return;
    this.lastStart = options.clock.now().toISOString().slice(0, ISO_MILLISECONDS);
    this.report('starting');
    const output = await options.log.open();
    try {
      rmSync(join(options.directory, `status-${memory.starts}.json`), { force: true });
      memory.starts += 1;
      const statusFile = join(options.directory, `status-${memory.starts}.json`);
      memory.process = { statusFile, startKey: startKey(desired), restartNonce: desired.restartNonce };
      this.save();
      const needs = options.surroundings.exportsOf(desired);
      const process = await options.services.start(desired, options.identity, prepared, needs, (spec) =>
        options.supervisor.start({ spec, statusFile, lockFile: options.lockFile, output }),
      );
      this.running(process, memory.process, 0);
    } finally {
      closeSync(output);
    }
    this.report('running');
  }

  /** Takes note of a process, started or found, and journals it before anybody is told. */
  private running(process: Supervised, journalled: JournalledProcess, runningFor: number): void {
    this.process = process;
    this.startedAt = this.options.clock.monotonic() - runningFor;
    this.memory.process = { ...journalled, record: process.record };
    this.memory.doneNonce = journalled.restartNonce;
    this.state = 'running';
    this.health = { health: 'unknown' };
    this.save();
    const { desired, memory } = this;
    void process.ended.then((ended) => this.ended(process, ended));
    this.options.services.watch(this.id, {
      allocation: desired,
      identity: this.options.identity,
      prepared: memory.prepared,
      needs: () => this.options.surroundings.exportsOf(this.desired),
      running: runningFor,
      onChange: (health) => {
        if (this.process !== process) return;
        this.health = health;
        if (health.health === 'healthy') delete this.memory.failure;
        this.report(this.state);
      },
    });
  }

  private async stop(): Promise<void> {
    const { process } = this;
    if (!process) return;
    this.stopping = process;
    this.report('stopping');
    const request = await this.options.services.stopRequest(this.memory.prepared);
    await this.options.supervisor.stop(process, request);
    await this.gone(process);
    delete this.memory.failure;
    this.save();
  }

  /** The process ended: by itself, unless a stop is under way. */
  private async ended(process: Supervised, ended: Ended): Promise<void> {
    if (this.closed || this.stopping === process) return;
    this.options.services.unwatch(this.id);
    await this.options.log.drain();
    // Meanwhile a stop may have taken it for its own.
    if (this.process !== process || this.stopping === process) return;
    const failure: Failure = {
      step: 'start',
      message: `The process ended by itself with ${describeExit(ended)}.`,
      exit: { ...(ended.code === undefined ? {} : { code: ended.code }), ...(ended.signal === undefined ? {} : { signal: ended.signal }) },
      logTail: this.logTail(),
    };
    this.process = undefined;
    this.settleFailure(failure, this.options.clock.monotonic() - this.startedAt);
    this.options.surroundings.changed(this);
    this.wake();
  }

  /** Nothing is left of the process: forgets it, and makes its directory free for others. */
  private async gone(process: Supervised): Promise<void> {
    this.options.services.unwatch(this.id);
    if (this.process === process) this.process = undefined;
    this.stopping = undefined;
    delete this.memory.process;
    this.save();
    this.options.surroundings.changed(this);
    await this.options.log.drain();
  }

  private async remove(): Promise<void> {
    this.report('stopping');
    const shared = this.options.surroundings.sharesDirectory(this);
    const aside = await this.options.services.remove(this.desired, this.options.identity, this.memory.prepared, shared);
    if (aside !== undefined) this.options.logger.info({ allocation: this.id, aside }, 'data of a removed component was set aside');
    if (!shared) this.options.preparation.forget(placeOf(this.desired));
    delete this.memory.prepared;
    this.memory.removed = true;
    this.save();
  }

  /** Finds what an earlier agent left: a process, the news of its end, or a start that never came to be. */
  private async adopt(): Promise<void> {
    const journalled = this.memory.process;
    if (!journalled) return;
    const adoption = await this.options.supervisor.adopt(journalled.statusFile, this.options.lockFile, journalled.record);
    if (adoption.state === 'running') {
      const runningFor = Math.max(0, this.options.clock.now().getTime() - Date.parse(adoption.process.record.startedAt));
      this.running(adoption.process, journalled, runningFor);
      await this.keepLog();
      this.options.logger.info({ allocation: this.id, pid: adoption.process.record.appPid }, 'took over a running component');
      return;
    }
    delete this.memory.process;
    this.save();
    if (adoption.state === 'ended') this.options.logger.info({ allocation: this.id, ...adoption.ended }, 'a component ended while no agent ran');
  }

  /** Holds the log of a process that was taken over; the log itself tries again when it cannot be written now. */
  private async keepLog(): Promise<void> {
    try {
      closeSync(await this.options.log.open());
    } catch (error) {
      this.options.logger.error({ err: error }, 'the log of a running component is not written');
    }
  }

  private fail(step: string, error: unknown): void {
    this.options.logger.warn({ allocation: this.id, step, err: error }, 'a step of an allocation failed');
    const failure = failureFrom(step, error);
    if (step === 'start') this.settleFailure({ ...failure, ...(failure.logTail ? {} : { logTail: this.logTail() }) }, 0);
    else this.giveUp(failure);
  }

  /** A start or a process failed: again after a while, or never. */
  private settleFailure(failure: Failure, ranFor: number): void {
    if (!this.process) delete this.memory.process;
    const decision = this.policy.exited(ranFor);
    if (decision.kind === 'give-up') {
      this.giveUp({ ...failure, message: `${failure.message} ${decision.reason}` });
      return;
    }
    this.backOffUntil = this.options.clock.monotonic() + decision.delay;
    this.memory.restarts += 1;
    this.memory.failure = failure;
    this.save();
  }

  private giveUp(failure: Failure): void {
    this.memory.failure = failure;
    this.memory.final = true;
    this.save();
  }

  private logTail(): string[] {
    const lines = readTail(logDirectory(this.options.directory), LOG_TAIL).lines.filter(({ at }) => at.slice(0, ISO_MILLISECONDS) >= this.lastStart);
    return lines.map(({ text }) => text);
  }

  private rest(action: Action & { kind: 'wait' }): void {
    this.message = action.message;
    if (this.desired.desired !== 'running') this.memory.doneNonce = this.desired.restartNonce;
    this.report(action.state);
  }

  private report(state: AllocationState): void {
    this.state = state;
    const observed = this.observe();
    if (isDeepStrictEqual(observed, this.reported)) return;
    this.reported = observed;
    this.options.surroundings.changed(this);
  }

  private save(): void {
    this.memory.restartsInARow = this.policy.restartsInARow;
    this.options.journal.saveAllocation({ desired: this.desired, memory: this.memory });
  }

  private isClosed(): boolean {
    return this.closed;
  }
}
