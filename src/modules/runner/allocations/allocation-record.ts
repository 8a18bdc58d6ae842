import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../../common/clock.js';
import type { DesiredAllocation } from '../../../link/messages.js';
import { RestartPolicy, type RestartSettings } from '../supervisor/restart-policy.js';
import type { AllocationMemory, Failure, JournalledProcess } from './allocation.types.js';
import type { Journal } from './journal.js';
import { preparationKey, startKey } from './specification.js';

/** What is wanted of an allocation and what is known of it, kept in the journal: every change is on disk when its call returns. */
export class AllocationRecord {
  private readonly policy: RestartPolicy;
  private backOffUntil = 0;

  constructor(
    private wanted: DesiredAllocation,
    readonly memory: AllocationMemory,
    private readonly journal: Journal,
    private readonly clock: Clock,
    restart: RestartSettings,
  ) {
    this.policy = new RestartPolicy(memory.restartsInARow, restart);
  }

  get desired(): DesiredAllocation {
    return this.wanted;
  }

  /** Milliseconds until a start may be tried. */
  get backOff(): number {
    return Math.max(0, this.backOffUntil - this.clock.monotonic());
  }

  /** Whether the wanted specification is prepared. */
  get isPrepared(): boolean {
    return this.memory.prepared?.key === preparationKey(this.wanted);
  }

  /** Whether the process was started from the wanted specification, and no restart is asked for. */
  get isCurrent(): boolean {
    const { process } = this.memory;
    return process?.startKey === startKey(this.wanted) && process.restartNonce >= this.wanted.restartNonce;
  }

  /**
   * Takes what is wanted now and forgets failures, since somebody decided anew; an older epoch is refused. Says what that means for a
   * preparation under way: nothing, or that it is obsolete.
   */
  accept(desired: DesiredAllocation): 'ignored' | 'accepted' | 'obsolete' {
    const before = this.wanted;
    if (desired.epoch < before.epoch || isDeepStrictEqual(desired, before)) return 'ignored';
    this.wanted = desired;
    this.memory.final = false;
    delete this.memory.failure;
    this.policy.reset();
    this.backOffUntil = 0;
    this.save();
    const unwanted = desired.desired === 'removed' || desired.desired === 'stopped';
    return unwanted || preparationKey(desired) !== preparationKey(before) ? 'obsolete' : 'accepted';
  }

  /** Notes the intent of a start, before anything is done. */
  starting(statusFile: string): JournalledProcess {
    const process = { statusFile, startKey: startKey(this.wanted), restartNonce: this.wanted.restartNonce };
    this.memory.process = process;
    this.save();
    return process;
  }

  /** Notes a process, so that a later agent finds it. */
  running(process: JournalledProcess): void {
    this.memory.process = process;
    this.memory.doneNonce = process.restartNonce;
    this.save();
  }

  /** Notes that no process is left. */
  ended(): void {
    delete this.memory.process;
    this.save();
  }

  /** A start or a process failed: sets the back-off of the next one, or gives up. */
  failed(failure: Failure, ranFor: number): void {
    delete this.memory.process;
    const decision = this.policy.exited(ranFor);
    if (decision.kind === 'give-up') {
      this.giveUp({ ...failure, message: `${failure.message} ${decision.reason}` });
      return;
    }
    this.backOffUntil = this.clock.monotonic() + decision.delay;
    this.memory.restarts += 1;
    this.memory.failure = failure;
    this.save();
  }

  /** Nothing more is tried until something else is wanted. */
  giveUp(failure: Failure): void {
    this.memory.failure = failure;
    this.memory.final = true;
    this.save();
  }

  save(): void {
    this.memory.restartsInARow = this.policy.restartsInARow;
    this.journal.saveAllocation({ desired: this.wanted, memory: this.memory });
  }
}
