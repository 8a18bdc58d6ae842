import type { SandboxSpec } from '../sandbox/sandbox.types.js';
import type { ExitStatus } from '../support/exit-status.js';

/**
 * Names one running sandbox so surely that a later agent can take it over: pids are reused, so each comes with its start time,
 * the namespace's inode and the boot.
 */
export interface ProcessRecord {
  /** First process of the sandbox's pid namespace; its end is the end of everything in it. */
  sandboxPid: number;
  sandboxStart: number;
  pidNamespace: number;
  /** The application itself, the first process's child. */
  appPid: number;
  appStart: number;
  bootId: string;
  /** ISO 8601. */
  startedAt: string;
  statusFile: string;
}

export interface StartRequest {
  spec: SandboxSpec;
  /** Receives bubblewrap's status records; in a directory that only the agent can enter. New for each start. */
  statusFile: string;
  /** Two sandboxes never run under one lock, even across agents. */
  lockFile: string;
  /** Descriptor of stdout and stderr. */
  output: number;
}

/** How a service ended. */
export interface Ended extends ExitStatus {
  /** ISO 8601. */
  endedAt: string;
}

/** A service that runs. */
export interface Supervised {
  readonly record: ProcessRecord;
  /** Resolves when nothing of the sandbox is left. Never rejects. */
  readonly ended: Promise<Ended>;
}

export interface StopRequest {
  signal: NodeJS.Signals;
  graceMs: number;
}

/** What became of an earlier start: it runs, it ended, or it never came to be. */
export type Adoption = { state: 'running'; process: Supervised } | { state: 'ended'; ended: Ended } | { state: 'absent' };

/** Keeps services running independently of the agent's own life. Drivers differ in who holds the process. */
export interface Supervisor {
  /** Starts a service and resolves once its application has a pid. Rejects with `ALREADY_RUNNING` when the lock is held. */
  start(request: StartRequest): Promise<Supervised>;
  /** Finds the service of an earlier start again, by the record or, when the agent died before it had one, by its status file. */
  adopt(statusFile: string, lockFile: string, record?: ProcessRecord): Promise<Adoption>;
  /** Asks it to end, and ends it when the grace is over. Resolves when nothing of it is left. */
  stop(process: Supervised, request: StopRequest): Promise<Ended>;
  /** Whether it runs at this moment. */
  isRunning(process: Supervised): boolean;
  /** Stops watching; every service goes on running. */
  close(): void;
}
