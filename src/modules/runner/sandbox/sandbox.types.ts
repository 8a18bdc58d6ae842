import type { ChildProcess } from 'node:child_process';

/** Uid and gid as the host sees them. */
export interface Identity {
  uid: number;
  gid: number;
}

/** An immutable directory or file of the host, shown read-only at `target`. Never anything that a tenant can write. */
export interface ReadOnlyBind {
  source: string;
  target: string;
}

/** A directory that was opened without following links (`openDirectory`), shown at `target`. */
export interface DirectoryBind {
  /** Descriptor of the open directory; stays owned by the caller. */
  fd: number;
  target: string;
  writable: boolean;
}

/** What a sandbox presents as its operating system: a closure of the store, or the host's own `/usr` for the agent's tools. */
export type SandboxSystem = { kind: 'closure'; root: string } | { kind: 'host' };

/** One process tree behind walls: everything that it sees, and nothing is inherited. */
export interface SandboxSpec {
  identity: Identity;
  hostname: string;
  system: SandboxSystem;
  readOnly?: readonly ReadOnlyBind[];
  directories?: readonly DirectoryBind[];
  /** Small read-only files, absolute path → content. */
  files?: Readonly<Record<string, string>>;
  env: Readonly<Record<string, string>>;
  /** Whether the host's network is shared; otherwise there is only an empty loopback. */
  network: boolean;
  chdir?: string;
  /** Visible in the host's process list: never put a secret here. */
  command: readonly string[];
}

/** Descriptors that a long-running sandbox is given. All stay owned by the caller. */
export interface SandboxIo {
  /** Receives stdout and stderr. */
  output: number;
  /** Receives bubblewrap's status records. */
  status: number;
  /** Locked first, and then held open by the sandbox's first process until the last process in it has ended. */
  lock: number;
}

/** How a service's launch ends when another process holds its lock; nothing was started then. */
export const LOCK_CONFLICT = 199;

export interface RunOptions {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** Receives each line of stdout and stderr as it is printed. */
  onLine?: ((line: string) => void) | undefined;
  /** Descriptor that the script reads as stdin; empty when absent. */
  stdin?: number | undefined;
  /** Keep this much of stdout, bytes; more ends in `truncated`. */
  maxOutput?: number | undefined;
}

/** How a one-off script ended. `code` and `signal` are both absent when it was killed for time or by `signal`. */
export interface RunResult {
  code?: number;
  signal?: string;
  timedOut: boolean;
  aborted: boolean;
  /** Stdout, at most `maxOutput` bytes. */
  stdout: Buffer;
  truncated: boolean;
  /** The last lines of stdout and stderr together. */
  tail: string[];
}

/** Runs commands behind walls. Implementations never give less isolation than asked for: they throw. */
export interface Sandbox {
  readonly mode: 'root' | 'rootless' | 'none';
  /** Runs a script to its end; when that end comes, no process of it is left. */
  run(spec: SandboxSpec, options: RunOptions): Promise<RunResult>;
  /** Starts a service that outlives this process; see `Supervisor`. */
  spawn(spec: SandboxSpec, io: SandboxIo): ChildProcess;
}
