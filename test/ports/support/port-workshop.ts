import { jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { execFileSync } from 'node:child_process';
import { PortCatalogue } from '../../../src/modules/ports/catalogue/port-catalogue.js';
import { buildEnvironment } from '../../../src/modules/runner/allocations/build-environment.js';
import { TenantDirectories } from '../../../src/modules/runner/allocations/component-directory.js';
import { PortScripts } from '../../../src/modules/runner/allocations/port-scripts.js';
import { setupInSandbox } from '../../../src/modules/runner/allocations/store-setup.js';
import { BubblewrapSandbox } from '../../../src/modules/runner/sandbox/bubblewrap-sandbox.js';
import type { Identity } from '../../../src/modules/runner/sandbox/sandbox.types.js';
import { Store } from '../../../src/modules/runner/store/store.js';
import type { StoreOwner } from '../../../src/modules/runner/store/store.types.js';
import { DirectSupervisor } from '../../../src/modules/runner/supervisor/direct-supervisor.js';
import { PORTS_DIRECTORY } from './bundled-ports.js';

// The first use of a port downloads its software. Jest does not read a project's own testTimeout.
jest.setTimeout(600_000);

/** Far from the uids of any installation. */
const TENANT_UID = 1_890_000_000;
/** What an operator behind a mirror or a proxy would set; unset ones do not pass. */
const BUILD_ENV = ['npm_config_registry', 'http_proxy', 'https_proxy', 'no_proxy', 'NODE_EXTRA_CA_CERTS'];

/** The runner's own parts, put together for driving one port at a time through its scripts. */
export class PortWorkshop {
  readonly identity: Identity;
  private constructor(
    readonly directory: string,
    readonly catalogue: PortCatalogue,
    readonly store: Store,
    readonly directories: TenantDirectories,
    readonly scripts: PortScripts,
    readonly supervisor: DirectSupervisor,
  ) {
    this.identity = isRoot() ? { uid: TENANT_UID, gid: TENANT_UID } : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  }

  /** Opens the bundled ports on the store that all tests of this machine share. */
  static async open(): Promise<PortWorkshop> {
    const directory = await mkdtemp(join(tmpdir(), 'hithe-test-'));
    await chmod(directory, 0o711);
    const catalogue = await PortCatalogue.load([PORTS_DIRECTORY]);
    const sandbox = new BubblewrapSandbox(isRoot());
    const build = buildEnvironment(BUILD_ENV, process.env);
    const store = await Store.open({
      catalogue,
      storeDir: required('HITHE_STORE'),
      cacheDir: required('HITHE_CACHE'),
      owner: storeOwner(),
      runSetup: setupInSandbox(sandbox, build),
    });
    const directories = new TenantDirectories(join(directory, 'tenants'), isRoot());
    const scripts = new PortScripts(sandbox, directories, build);
    return new PortWorkshop(directory, catalogue, store, directories, scripts, new DirectSupervisor(sandbox, pino({ level: 'silent' })));
  }

  /** A file that only the test's own uid and the tenant can write. */
  async giveToTenant(path: string): Promise<void> {
    if (isRoot()) await chown(path, this.identity.uid, this.identity.gid);
  }

  /** A new directory that `fill` fills. */
  async scratch(fill: (directory: string) => Promise<void>): Promise<string> {
    const directory = await mkdtemp(join(this.directory, 'scratch-'));
    await fill(directory);
    return directory;
  }

  newName(): string {
    return `t${randomUUID().slice(0, 8)}`;
  }

  async close(): Promise<void> {
    this.supervisor.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set; run these tests with "bin/jest --selectProjects ports"`);
  return value;
}

function storeOwner(): StoreOwner {
  if (!isRoot()) return null;
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'hithe-store'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
