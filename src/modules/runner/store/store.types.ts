import type { PortCatalogue } from '../../ports/catalogue/port-catalogue.js';

/** The account that builds and owns the store; `null` when the agent is not root and everything is one uid. */
export type StoreOwner = { uid: number; gid: number } | null;

/** One package of a closure, as `closure.json` lists it. */
export interface ClosurePackage {
  name: string;
  version: string;
  source: 'debian' | 'npm' | 'url';
  /** Subresource-integrity style: `sha256-<hex>` for debian and url, `sha512-<base64>` for npm. */
  digest: string;
}

/** An install in the store: immutable, readable by everybody, addressed by the digest of what went into it. */
export interface StoreEntry {
  /** `sha256-<64 hex>`; stands for the port's scripts, version, closure, platform and build vars. */
  digest: string;
  port: string;
  /** The closure key, e.g. "17". */
  version: string;
  /** Exact version of the port's main package, e.g. "17.6-0+deb13u1". */
  resolvedVersion: string;
  /** Directory of the entry. */
  path: string;
  /** The closure: a tree with `usr/` and, as links into it, `bin`, `sbin`, `lib`, `lib64`; may be shared by entries. */
  root: string;
  /** Holds `<port>/` for this port and each port that it runs on, and `_lib/`; the sandbox shows it as `/opt/hithe/ports`. */
  scriptsDir: string;
  /** What `setup.sh` made (often empty); the sandbox shows it as `/opt/hithe/prefix`. */
  prefix: string;
  packages: ClosurePackage[];
}

/** How the store asks for one `setup.sh` to be run in a sandbox. */
export interface SetupRequest {
  /** The entry in the making: same shape, at a temporary path; its `prefix` must be writable for the script. */
  entry: StoreEntry;
  /** Whose script: `/opt/hithe/ports/<port>/setup.sh`. The ports that a port runs on come before it. */
  port: string;
  /** The uid that the script runs as. */
  owner: StoreOwner;
  /** The build vars, as validated. */
  vars: Record<string, string>;
  /** Whether the manifest lets `setup.sh` reach the network. */
  network: boolean;
  /** Receives each line that the script prints. */
  onOutput: (line: string) => void;
  signal: AbortSignal | undefined;
}

/** Runs one `setup.sh`; rejects (DomainError with the exit code and last lines) when it fails, and the entry is discarded. */
export type RunSetup = (request: SetupRequest) => Promise<void>;

export interface EnsureOptions {
  /** Receives lines for people: what is fetched, counts, sizes. */
  onProgress?: ((line: string) => void) | undefined;
  /** Aborts the build; what it made so far is discarded. */
  signal?: AbortSignal | undefined;
}

export interface StoreOptions {
  catalogue: PortCatalogue;
  /** Where entries live; others must be able to enter it. */
  storeDir: string;
  /** Where downloads live, by content. */
  cacheDir: string;
  owner: StoreOwner;
  runSetup: RunSetup;
  /** Base address of a Debian mirror; the machine's own apt configuration when absent. */
  debianMirror?: string | undefined;
  /** Base address of the mirror of security updates; as above. */
  debianSecurityMirror?: string | undefined;
  /** Address of the npm registry; npm's default when absent. */
  npmRegistry?: string | undefined;
  /** Proxies and the like for the tools that download: `https_proxy`, `no_proxy`, `SSL_CERT_FILE`. */
  networkEnv?: Record<string, string> | undefined;
}

/** What the agent uses of the store. */
export interface PortStore {
  /** The finished entry, or undefined; never needs the network and never waits. */
  find(port: string, version: string, vars: Record<string, string>): Promise<StoreEntry | undefined>;
  /** The entry of a digest that `find` or `ensure` gave before, or undefined when it was collected. */
  get(digest: string): Promise<StoreEntry | undefined>;
  /** The finished entry, built first when it is missing; built once however many ask, in whatever process. */
  ensure(port: string, version: string, vars: Record<string, string>, options?: EnsureOptions): Promise<StoreEntry>;
}
