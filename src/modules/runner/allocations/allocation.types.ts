import type { ExitStatus } from '../support/exit-status.js';
import type { ProcessRecord } from '../supervisor/supervisor.types.js';

/** What preparing a specification gave. */
export interface Prepared {
  /** Digest of the part of the specification that was prepared. */
  key: string;
  storeDigest: string;
  resolvedVersion: string;
  /** Absolute path of the release on the host, for ports that build. */
  releaseDir?: string;
  commit?: string;
  /** What dependants may read. Holds secrets. */
  exports: Record<string, string>;
}

/** A start: its intent is journalled without, its success with `record`. */
export interface JournalledProcess {
  statusFile: string;
  startKey: string;
  restartNonce: number;
  record?: ProcessRecord;
}

/** Why nothing goes on. */
export interface Failure {
  step: string;
  message: string;
  exit?: ExitStatus;
  logTail?: string[];
}

/** Everything about an allocation that outlives the agent. */
export interface AllocationMemory {
  prepared?: Prepared;
  process?: JournalledProcess;
  /** Number of starts so far; names status files. */
  starts: number;
  restarts: number;
  restartsInARow: number;
  /** Restart nonce of the last start, or of the last time that no process was wanted. */
  doneNonce: number;
  failure?: Failure;
  /** Whether `failure` is for good, until the control plane wants something else. */
  final: boolean;
  removed: boolean;
}

export const FRESH_MEMORY: Readonly<AllocationMemory> = {
  starts: 0,
  restarts: 0,
  restartsInARow: 0,
  doneNonce: 0,
  final: false,
  removed: false,
};

/** A step that failed, with what a person needs to mend it. */
export class StepFailed extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message);
    this.name = 'StepFailed';
  }
}
