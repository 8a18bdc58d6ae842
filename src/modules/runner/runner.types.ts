import type { Logger } from 'pino';
import type { Clock } from '../../common/clock.js';
import type { ObservedAllocation } from '../../link/messages.js';
import type { PortCatalogue } from '../ports/catalogue/port-catalogue.js';
import type { DownloadSource } from './allocations/sources/source-fetcher.js';
import type { Identity } from './sandbox/sandbox.types.js';
import type { RestartSettings } from './supervisor/restart-policy.js';
import type { StoreOwner } from './store/store.types.js';

/** All that an agent knows about its machine and installation. */
export interface RunnerOptions {
  /** Whether this process is root, and so can give each tenant a uid. */
  root: boolean;
  isolation: 'sandbox' | 'none';
  /** Read when the store is first asked for something. */
  catalogue: () => Promise<PortCatalogue>;
  paths: { agent: string; tenants: string; store: string; cache: string };
  tenantUidBase: number;
  storeOwner: StoreOwner;
  /** Who keeps log files; undefined when everything is one uid. */
  logIdentity: Identity | undefined;
  /** Entries of `HITHE_BUILD_ENV`. */
  buildEnv: readonly string[];
  environment: Readonly<Record<string, string | undefined>>;
  debianMirror?: string | undefined;
  /** Builds that run at once. */
  builds: number;
  /** Seconds between two looks at what components use. */
  usageInterval: number;
  restart?: RestartSettings;
  downloadSource: DownloadSource;
  clock: Clock;
  logger: Logger;
  onChange: (observed: ObservedAllocation) => void;
  onProgress: (allocationId: string, step: string, text: string) => void;
}
