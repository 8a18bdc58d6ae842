import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DomainError } from '../../common/domain-error.js';
import type { Isolation, LogLine, LogQuery, PlanFacts, Task } from '../../link/messages.js';
import { AllocationManager } from './allocations/allocation-manager.js';
import { buildEnvironment } from './allocations/build-environment.js';
import { TenantDirectories } from './allocations/component-directory.js';
import { Journal } from './allocations/journal.js';
import { PortScripts } from './allocations/port-scripts.js';
import { Preparation } from './allocations/preparation.js';
import { ServiceControl } from './allocations/service-control.js';
import { SourceFetcher } from './allocations/sources/source-fetcher.js';
import { setupInSandbox } from './allocations/store-setup.js';
import { listListeners } from './facts/listeners.js';
import { LogStream } from './logs/log-stream.js';
import { logWriterCommand } from './logs/log-writer.js';
import type { RunnerOptions } from './runner.types.js';
import { BubblewrapSandbox } from './sandbox/bubblewrap-sandbox.js';
import { attackOwnSandbox, brokenIsolation } from './sandbox/isolation.js';
import { endOrphans, sandboxMark } from './sandbox/orphans.js';
import type { Identity, Sandbox } from './sandbox/sandbox.types.js';
import { networkEnvironment } from './store/network-environment.js';
import { DeferredStore } from './store/deferred-store.js';
import type { PortStore } from './store/store.types.js';
import { DirectSupervisor } from './supervisor/direct-supervisor.js';
import { UsageJournal } from './usage/usage-journal.js';
import { UsageMeter } from './usage/usage-meter.js';
import { DEFAULT_RESTART_SETTINGS } from './supervisor/restart-policy.js';

/** Uids at the end of the tenants' block, which no tenant is given. */
const CANARY_OFFSET = 99_998;
const LOG_WRITER_PORT = 's6';
const LOG_WRITER_VERSION = '2';

/** Executes ports on this machine; everything that the agent does except talking to the control plane. */
export class Runner {
  private constructor(
    readonly isolation: Isolation,
    readonly allocations: AllocationManager | undefined,
    private readonly store: PortStore | undefined,
    private readonly journal: Journal | undefined,
    private readonly supervisor: DirectSupervisor | undefined,
    readonly usage: UsageMeter | undefined,
    private readonly options: RunnerOptions,
  ) {}

  /**
   * Attacks its own sandbox first. When a wall is missing there is no runner to speak of: `isolation` says what is wrong and no tenant's
   * code is ever run; what runs from earlier is left alone.
   */
  static async open(options: RunnerOptions): Promise<Runner> {
    mkdirSync(options.paths.agent, { recursive: true });
    chmodSync(options.paths.agent, 0o700);
    const { sandbox, isolation } = await Runner.sandbox(options);
    if (!sandbox || !isolation.ok) return new Runner(isolation, undefined, undefined, undefined, undefined, undefined, options);
    const { paths, clock, logger } = options;
    const build = buildEnvironment(options.buildEnv, options.environment);
    const store = new DeferredStore(async () => {
      // Loaded when needed: with all that it uses, it is a third of an agent's start.
      const { Store } = await import('./store/store.js');
      return Store.open({
        catalogue: await options.catalogue(),
        storeDir: paths.store,
        cacheDir: paths.cache,
        owner: options.storeOwner,
        runSetup: setupInSandbox(sandbox, build),
        debianMirror: options.debianMirror,
        npmRegistry: build.env['NPM_CONFIG_REGISTRY'] ?? build.env['npm_config_registry'],
        networkEnv: networkEnvironment(options.environment),
      });
    });
    const journal = new Journal(join(paths.agent, 'journal.db'));
    const directories = new TenantDirectories(paths.tenants, options.root);
    const scripts = new PortScripts(sandbox, directories, build);
    const sources = new SourceFetcher(sandbox, join(paths.agent, 'sources'), options.downloadSource, build);
    const preparation = new Preparation({ store, scripts, sources, directories, journal, builds: options.builds });
    const services = new ServiceControl({ store, scripts, preparation, directories, clock });
    const supervisor = new DirectSupervisor(sandbox, logger);
    const allocations = new AllocationManager({
      ...{ journal, supervisor, preparation, services, clock, logger },
      agentDirectory: paths.agent,
      identityOf: ({ number }) => tenantIdentity(options, number),
      logIdentity: options.logIdentity,
      logCommand: logCommand(store, options.logIdentity),
      restart: options.restart ?? DEFAULT_RESTART_SETTINGS,
      onChange: options.onChange,
      onProgress: options.onProgress,
    });
    await allocations.load();
    const usage = new UsageMeter({
      journal: new UsageJournal(join(paths.agent, 'usage.db')),
      allocations: () => allocations.metered(),
      openDirectory: (id) => allocations.openDirectory(id, directories),
      interval: options.usageInterval,
      ...{ clock, logger },
    });
    usage.start();
    return new Runner(isolation, allocations, store, journal, supervisor, usage, options);
  }

  /** Gets ready for work ahead of the first request for it. */
  async warmUp(): Promise<void> {
    await this.store?.find(LOG_WRITER_PORT, LOG_WRITER_VERSION, {});
  }

  /** Does a task once; a repeated id gives the first result. */
  async task(taskId: string, task: Task): Promise<unknown> {
    const known = this.journal?.taskResult(taskId);
    if (known !== undefined) return known;
    const result = await this.planFacts(task);
    this.journal?.saveTaskResult(taskId, result, this.options.clock.now());
    return result;
  }

  /** A stream of log lines, secrets blanked out; the caller runs and closes it. */
  logs(query: LogQuery, sink: (lines: LogLine[]) => Promise<void>): LogStream {
    const redact = (line: LogLine): LogLine => ({ ...line, text: this.allocations?.redact(query.projectId, line.text) ?? line.text });
    return new LogStream(
      () => this.allocations?.logSources(query) ?? [],
      query,
      (lines) => sink(lines.map(redact)),
    );
  }

  /** Ends all work of this process; components run on. */
  async close(): Promise<void> {
    await this.usage?.close();
    await this.allocations?.close();
    this.supervisor?.close();
    this.journal?.close();
  }

  private async planFacts({ closures }: Task): Promise<PlanFacts> {
    const installed = closures.map(async ({ port, version }) => {
      const entry = await this.store?.find(port, version, {});
      return { port, version, installed: entry !== undefined, ...(entry ? { resolvedVersion: entry.resolvedVersion } : {}) };
    });
    return { listeners: listListeners(this.allocations?.namespaces() ?? new Map()), closures: await Promise.all(installed) };
  }

  private static async sandbox(options: RunnerOptions): Promise<{ sandbox?: Sandbox; isolation: Isolation }> {
    const mode = options.root ? 'root' : 'rootless';
    if (options.isolation === 'none') return { isolation: brokenIsolation('none', noWalls()) };
    try {
      const mark = sandboxMark(options.paths.agent);
      const orphans = endOrphans(mark);
      if (orphans > 0) options.logger.info({ orphans }, 'ended what a killed agent left of its scripts');
      const sandbox = new BubblewrapSandbox(options.root, mark);
      const identity = tenantIdentity(options, CANARY_OFFSET);
      const neighbour = tenantIdentity(options, CANARY_OFFSET - 1);
      const { tenants: tenantsDirectory, agent: agentDirectory } = options.paths;
      return { sandbox, isolation: await attackOwnSandbox(sandbox, { tenantsDirectory, agentDirectory, identity, neighbour }) };
    } catch (error) {
      return { isolation: brokenIsolation(mode, error) };
    }
  }
}

/** A closure becomes a system only by namespaces: without them there is nothing that a port could run on. */
function noWalls(): DomainError {
  return new DomainError(
    'unavailable',
    'ISOLATION_NONE_UNAVAILABLE',
    'HITHE_ISOLATION=none is set, and this version runs nothing without a sandbox.',
    {
      fix: 'Unset HITHE_ISOLATION; on a machine that forbids user namespaces, allow them: sysctl user.max_user_namespaces=15000.',
    },
  );
}

/** In root mode each tenant has a uid; otherwise everything is ours. */
function tenantIdentity({ root, tenantUidBase }: RunnerOptions, number: number): Identity {
  if (!root) return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  return { uid: tenantUidBase + number, gid: tenantUidBase + number };
}

/** The log writer's command line; its port is installed with the first component. */
function logCommand(store: PortStore, identity: Identity | undefined): () => Promise<string[]> {
  let command: string[] | undefined;
  return async () => {
    if (command) return command;
    const entry =
      (await store.find(LOG_WRITER_PORT, LOG_WRITER_VERSION, {})) ?? (await store.ensure(LOG_WRITER_PORT, LOG_WRITER_VERSION, {}));
    command = logWriterCommand(entry.root, identity);
    return command;
  };
}
