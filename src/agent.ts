import { hostname, totalmem, availableParallelism } from 'node:os';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino, type Logger } from 'pino';
import { type AgentOptions, agentOptions } from './agent-options.js';
import { systemClock } from './common/clock.js';
import { DomainError } from './common/domain-error.js';
import { loadConfig } from './config/config.js';
import { AgentLink } from './link/agent-link.js';
import type { DesiredAllocation, NodeFacts, ObservedAllocation } from './link/messages.js';
import { sourceDownloader } from './link/source-download.js';
import type { PortCatalogue } from './modules/ports/catalogue/port-catalogue.js';
import { Runner } from './modules/runner/runner.js';
import { tryLock } from './modules/runner/supervisor/file-lock.js';
import { closeInheritedDescriptors } from './modules/runner/support/inherited-descriptors.js';
import { poll } from './modules/runner/support/wait-until.js';

/** For an earlier agent to end. */
const PREDECESSOR_MS = 15_000;

/** What allocations look like on a machine whose sandbox has a hole: nothing is run, and each says why. */
function refused(wanted: readonly DesiredAllocation[], reason: string): ObservedAllocation[] {
  return wanted.map(({ id, epoch, restartNonce }) => {
    return { id, epoch, restartNonce, state: 'failed', health: 'unknown', step: 'isolation', message: reason, restarts: 0 };
  });
}

/** The agent of one node: the runner and its link. Composition only. */
class Agent {
  private wanted: readonly DesiredAllocation[] = [];
  private generation = 0;

  private constructor(
    private readonly options: AgentOptions,
    private readonly runner: Runner,
    private readonly link: AgentLink,
    private readonly logger: Logger,
  ) {}

  static async start(options: AgentOptions, logger: Logger): Promise<Agent> {
    const { serverUrl, credential } = options.node;
    // Changes before the link is up are part of its first, whole report.
    const current: { agent?: Agent } = {};
    const runner = await Runner.open({
      ...options,
      catalogue: () => readCatalogue(options.portDirectories, logger),
      environment: process.env,
      downloadSource: sourceDownloader(serverUrl, credential),
      clock: systemClock,
      logger,
      onChange: (observed) => current.agent?.link.report(observed),
      onProgress: (allocationId, step, text) => current.agent?.link.progress(allocationId, step, text),
    });
    const link: AgentLink = new AgentLink({
      serverUrl,
      credential,
      logger,
      agent: {
        facts: () => agent.facts(),
        generation: () => agent.runner.allocations?.generation ?? agent.generation,
        observed: () => agent.observed(),
        apply: ({ generation, allocations }) => agent.apply(generation, allocations),
        task: (taskId, task) => runner.task(taskId, task),
        logs: (query, sink) => runner.logs(query, sink),
        usage: () => runner.usage?.pending(),
        usageConfirmed: (stream, sequence) => runner.usage?.confirmed(stream, sequence),
      },
    });
    const agent: Agent = new Agent(options, runner, link, logger);
    current.agent = agent;
    if (runner.usage) runner.usage.onReport = (report) => link.reportUsage(report);
    agent.tellIsolation();
    link.start();
    runner.warmUp().catch((error: unknown) => logger.error({ err: error }, 'the store cannot be opened'));
    return agent;
  }

  /** Ends this process's work; components run on, or, with `components`, are stopped before. */
  async stop(components: boolean): Promise<void> {
    if (components) await this.runner.allocations?.stopAll();
    this.link.stop();
    await this.runner.close();
  }

  private tellIsolation(): void {
    const { isolation } = this.runner;
    const missing = isolation.checks.filter(({ ok }) => !ok);
    if (isolation.ok) this.logger.info({ mode: isolation.mode }, 'the sandbox withstood its own attack');
    else this.logger.fatal({ mode: isolation.mode, missing }, 'the sandbox has holes: no component is run on this machine');
  }

  private apply(generation: number, allocations: readonly DesiredAllocation[]): void {
    this.generation = generation;
    this.wanted = allocations;
    if (this.runner.allocations) this.runner.allocations.apply(generation, allocations);
    else for (const observed of this.observed()) this.link.report(observed);
  }

  private observed(): ObservedAllocation[] {
    if (this.runner.allocations) return this.runner.allocations.observed();
    const failed = this.runner.isolation.checks.find(({ ok }) => !ok);
    return refused(this.wanted, `The sandbox of this machine does not hold: ${failed?.message ?? 'it could not be tested'}`);
  }

  private facts(): NodeFacts {
    return {
      hostname: hostname(),
      platform: `${process.platform}-${process.arch}`,
      cpus: availableParallelism(),
      memoryBytes: totalmem(),
      agentVersion: this.options.version,
      isolation: this.runner.isolation,
      tenantUidBase: this.options.tenantUidBase,
    };
  }
}

async function readCatalogue(directories: readonly string[], logger: Logger): Promise<PortCatalogue> {
  const { PortCatalogue } = await import('./modules/ports/catalogue/port-catalogue.js');
  const catalogue = await PortCatalogue.load(directories);
  for (const fault of catalogue.faults) logger.warn({ fault }, 'a port is not usable');
  return catalogue;
}

/** Two agents on one home would fight over its allocations. The lock is held until this process ends. */
async function lockHome(directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'agent.lock');
  let held = await tryLock(path);
  const end = performance.now() + PREDECESSOR_MS;
  while (held === undefined && performance.now() < end) {
    await poll(() => undefined, { firstMs: 100, maxMs: 100, deadlineMs: 100 });
    held = await tryLock(path);
  }
  if (held !== undefined) return;
  throw new DomainError('conflict', 'AGENT_RUNS_ALREADY', `Another agent already works in ${directory}.`, {
    fix: 'Stop it first, or set another HITHE_HOME.',
  });
}

async function main(): Promise<void> {
  closeInheritedDescriptors();
  const options = agentOptions(loadConfig());
  const logger = pino({ level: options.logLevel, base: { part: 'agent' }, timestamp: pino.stdTimeFunctions.isoTime });
  await lockHome(options.paths.agent);
  const agent = await Agent.start(options, logger);
  logger.info({ uptimeMs: Math.round(performance.now()) }, 'the agent runs');
  let ending = false;
  const end = (signal: NodeJS.Signals, components: boolean): void => {
    if (ending) return;
    ending = true;
    logger.info({ signal }, components ? 'stopping all components, then the agent' : 'the agent stops; components run on');
    agent.stop(components).then(
      () => process.exit(0),
      (error: unknown) => {
        logger.fatal({ err: error }, 'the agent did not stop in order');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => end('SIGTERM', false));
  process.on('SIGINT', () => end('SIGINT', false));
  // The launcher's Ctrl-C: dependants are stopped before what they need. They are started again by the next agent.
  process.on('SIGUSR2', () => end('SIGUSR2', true));
}

main().catch((error: unknown) => {
  const fix = error instanceof DomainError && error.fix !== undefined ? `\n${error.fix}` : '';
  process.stderr.write(`hithe agent: ${error instanceof DomainError ? error.message : String((error as Error).stack)}${fix}\n`);
  process.exitCode = 1;
});
