import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/** Every path below one `HITHE_HOME`. Who owns what, and with which mode, is in docs/operations.md. */
export interface HithePaths {
  readonly home: string;
  /** Where the launcher binds the clone, read-only, for processes whose uid cannot enter the clone's own directory. */
  readonly app: string;
  /** The embedded PostgreSQL: copied binaries, data directory, unix socket. */
  readonly pg: {
    readonly root: string;
    readonly server: string;
    readonly data: string;
    readonly run: string;
  };
  /** Private to the control plane. */
  readonly control: {
    readonly root: string;
    readonly secrets: string;
    readonly databaseUrl: string;
    readonly jwtKey: string;
    readonly platformKey: string;
    /** Signs the heads and archives of the audit log. */
    readonly auditKey: string;
    /** Signs what webhooks of the audit log send. */
    readonly auditWebhookKey: string;
    /** What proves the audit log, outside of the database. */
    readonly audit: {
      readonly root: string;
      readonly heads: string;
      readonly publicKeys: string;
      readonly archive: string;
    };
  };
  /** Private to the agent. */
  readonly agent: {
    readonly root: string;
    readonly node: string;
    readonly journal: string;
    readonly allocations: string;
  };
  /** Installed software, shared by all tenants; `HITHE_STORE` moves it. */
  readonly store: string;
  /** Downloads by content; `HITHE_CACHE` moves it. */
  readonly cache: string;
  readonly tenants: string;
  readonly logs: {
    readonly root: string;
    readonly controlPlane: string;
    readonly agent: string;
    readonly postgres: string;
  };
  /** Pid files and the launcher's lock. */
  readonly run: string;
  readonly initialAdmin: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const FIRST_TENANT_UID = 1_900_000_000;
const UIDS_PER_HOME = 100_000;
const HOME_SLOTS = 1_000;

/** Whether this process runs as root, which decides between root mode and rootless mode. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** `HITHE_HOME` made absolute; `/var/lib/hithe` for root and `~/.local/share/hithe` for anybody else. */
export function hitheHome(environment: Environment = process.env): string {
  const given = environment['HITHE_HOME'];
  if (given !== undefined && given !== '') return resolve(given);
  return isRoot() ? '/var/lib/hithe' : join(homedir(), '.local/share/hithe');
}

/** All paths of the installation that the environment names. Touches no file. */
export function hithePaths(environment: Environment = process.env): HithePaths {
  return { ...pathsBelow(hitheHome(environment)), ...overrides(environment) };
}

/** All paths of the installation in `home`, an absolute directory. Touches no file. */
export function pathsBelow(home: string): HithePaths {
  if (!isAbsolute(home)) throw new TypeError(`HITHE_HOME must be an absolute path, not ${home}`);
  const at = (...parts: string[]): string => join(home, ...parts);
  return {
    home,
    app: at('app'),
    pg: { root: at('pg'), server: at('pg/server'), data: at('pg/data'), run: at('pg/run') },
    control: {
      root: at('control'),
      secrets: at('control/secrets'),
      databaseUrl: at('control/secrets/database-url'),
      jwtKey: at('control/secrets/jwt-key.pem'),
      platformKey: at('control/secrets/platform.key'),
      auditKey: at('control/secrets/audit-key.pem'),
      auditWebhookKey: at('control/secrets/audit-webhook.key'),
      audit: {
        root: at('control/audit'),
        heads: at('control/audit/heads.jsonl'),
        publicKeys: at('control/audit/public-keys.pem'),
        archive: at('control/audit/archive'),
      },
    },
    agent: { root: at('agent'), node: at('agent/node.json'), journal: at('agent/journal.db'), allocations: at('agent/allocations') },
    store: at('store'),
    cache: at('cache'),
    tenants: at('tenants'),
    logs: {
      root: at('logs'),
      controlPlane: at('logs/control-plane.log'),
      agent: at('logs/agent.log'),
      postgres: at('logs/postgres.log'),
    },
    run: at('run'),
    initialAdmin: at('initial-admin.json'),
  };
}

/**
 * Uid of tenant number 0: `HITHE_TENANT_UID_BASE`, or a block of 100,000 uids from 1,900,000,000 up that the
 * home's path selects, so that installations side by side do not share uids.
 */
export function tenantUidBase(home: string, environment: Environment = process.env): number {
  const given = environment['HITHE_TENANT_UID_BASE'];
  if (given !== undefined && given !== '') {
    const base = Number(given);
    if (Number.isSafeInteger(base) && base > 0 && base < 2 ** 32 - UIDS_PER_HOME) return base;
    throw new TypeError(`HITHE_TENANT_UID_BASE must be a positive whole number below ${2 ** 32 - UIDS_PER_HOME}, not ${given}`);
  }
  const slot = createHash('sha256').update(home).digest().readUInt32BE(0) % HOME_SLOTS;
  return FIRST_TENANT_UID + slot * UIDS_PER_HOME;
}

function overrides(environment: Environment): Partial<Pick<HithePaths, 'store' | 'cache'>> {
  const store = environment['HITHE_STORE'];
  const cache = environment['HITHE_CACHE'];
  return {
    ...(store === undefined || store === '' ? {} : { store: resolve(store) }),
    ...(cache === undefined || cache === '' ? {} : { cache: resolve(cache) }),
  };
}
