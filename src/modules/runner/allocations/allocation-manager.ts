import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Clock } from '../../../common/clock.js';
import { Redactor } from '../../../common/redactor.js';
import type { DesiredAllocation, LogQuery, ObservedAllocation } from '../../../link/messages.js';
import { ComponentLog, logDirectory } from '../logs/component-log.js';
import type { LogSource } from '../logs/log-stream.js';
import type { Identity } from '../sandbox/sandbox.types.js';
import type { RestartSettings } from '../supervisor/restart-policy.js';
import type { Supervisor } from '../supervisor/supervisor.types.js';
import type { MeteredAllocation } from '../usage/usage-meter.js';
import { Allocation, type Surroundings } from './allocation.js';
import { AllocationRecord } from './allocation-record.js';
import { type AllocationMemory, FRESH_MEMORY } from './allocation.types.js';
import type { TenantDirectories } from './component-directory.js';
import type { ExportsByNeed } from './environment.js';
import type { Journal } from './journal.js';
import { type Preparation, componentKey, placeOf } from './preparation.js';
import type { ServiceControl } from './service-control.js';

/** A component whose needs are not healthy by then is started all the same; it may cope, and says so if not. */
const LONGEST_WAIT_FOR_NEEDS_MS = 60_000;

export interface AllocationManagerOptions {
  journal: Journal;
  supervisor: Supervisor;
  preparation: Preparation;
  services: ServiceControl;
  /** The agent's own directory; allocations, locks and sources are below it. */
  agentDirectory: string;
  identityOf: (tenant: DesiredAllocation['tenant']) => Identity;
  /** Who keeps log files; undefined when everything is one uid. */
  logIdentity: Identity | undefined;
  logCommand: () => Promise<string[]>;
  restart: RestartSettings;
  clock: Clock;
  logger: Logger;
  onChange: (observed: ObservedAllocation) => void;
  onProgress: (allocationId: string, step: string, text: string) => void;
}

/** All allocations of this node: what is wanted of them, and how they stand in each other's way. */
export class AllocationManager {
  private readonly allocations = new Map<string, Allocation>();
  private readonly loops = new Set<Promise<void>>();
  private readonly waitingSince = new Map<string, number>();
  private readonly redactors = new Map<string, Redactor>();
  private readonly changeListeners = new Set<() => void>();
  private halting = false;

  constructor(private readonly options: AllocationManagerOptions) {
    for (const name of ['allocations', 'locks']) mkdirSync(join(options.agentDirectory, name), { recursive: true, mode: 0o700 });
  }

  /** Takes over what an earlier agent had; running components are found again, others are brought to what was wanted last. */
  async load(): Promise<void> {
    for (const { desired, memory } of this.options.journal.allocations()) this.add(desired, memory);
    await Promise.all([...this.allocations.values()].map(({ adopted }) => adopted));
  }

  get generation(): number {
    return this.options.journal.generation;
  }

  /** Replaces the whole desired state; a lower generation is ignored. What is no longer named is stopped, its files are kept. */
  apply(generation: number, wanted: readonly DesiredAllocation[]): void {
    if (generation < this.generation) {
      this.options.logger.warn({ generation, known: this.generation }, 'an older desired state is ignored');
      return;
    }
    const named = new Set(wanted.map(({ id }) => id));
    this.redactors.clear();
    this.options.journal.batch(() => {
      this.options.journal.generation = generation;
      for (const desired of wanted) {
        const known = this.allocations.get(desired.id);
        if (known) known.update(desired);
        else this.add(desired);
      }
      for (const allocation of this.allocations.values()) if (!named.has(allocation.id)) this.abandon(allocation);
    });
    for (const allocation of this.allocations.values()) allocation.wake();
  }

  observed(): ObservedAllocation[] {
    return [...this.allocations.values()].map((allocation) => this.reportOf(allocation));
  }

  /** Stops every component, dependants before what they need, and resolves when none is left. What is desired stays: a later agent starts them again. */
  async stopAll(): Promise<void> {
    this.halting = true;
    for (;;) {
      const active = [...this.allocations.values()].filter(({ isActive }) => isActive);
      const needed = new Set(active.flatMap(({ desired }) => Object.values(desired.needs)));
      for (const allocation of this.allocations.values()) if (!allocation.isActive || !needed.has(allocation.id)) allocation.halt();
      if (active.length === 0) return;
      // A cycle cannot come from the control plane; without this one would never end.
      if (active.every(({ id }) => needed.has(id))) for (const allocation of active) allocation.halt();
      await this.nextChange();
    }
  }

  /** The allocations whose lines belong to a query. */
  logSources({ projectId, component }: LogQuery): LogSource[] {
    return [...this.allocations.values()]
      .filter(({ desired }) => desired.projectId === projectId && (component === undefined || desired.component === component))
      .map(({ id, desired }) => ({ component: desired.component, allocationId: id, directory: logDirectory(this.directoryOf(id)) }));
  }

  /** The text with every secret of the project's components blanked out. */
  redact(projectId: string, text: string): string {
    const known = this.redactors.get(projectId);
    if (known) return known.mask(text);
    const ofProject = [...this.allocations.values()].filter(({ desired }) => desired.projectId === projectId);
    const redactor = new Redactor(ofProject.flatMap(({ desired }) => secretsOf(desired)));
    this.redactors.set(projectId, redactor);
    return redactor.mask(text);
  }

  /** Pid namespace of each running component → its allocation. */
  namespaces(): Map<number, string> {
    return new Map(
      [...this.allocations.values()].flatMap(({ id, pidNamespace }) => (pidNamespace === undefined ? [] : [[pidNamespace, id]])),
    );
  }

  /** What the use of this machine is counted by: every allocation that is not removed. */
  metered(): MeteredAllocation[] {
    return [...this.allocations.values()]
      .filter(({ isRemoved }) => !isRemoved)
      .map(({ id, desired, runningProcess: process }) => {
        const { tenant, projectId, project, component } = desired;
        return { id, component: { tenant: tenant.number, projectId, project, component }, ...(process === undefined ? {} : { process }) };
      });
  }

  /** Opens the directory of an allocation's component; undefined when there is none. The caller closes the descriptor. */
  openDirectory(id: string, directories: TenantDirectories): number | undefined {
    const allocation = this.allocations.get(id);
    const place = allocation === undefined ? undefined : placeOf(allocation.desired);
    return place !== undefined && directories.exists(place) ? directories.open(place) : undefined;
  }

  /** Ends all work; components run on. */
  async close(): Promise<void> {
    for (const allocation of this.allocations.values()) allocation.close();
    await Promise.allSettled(this.loops);
  }

  private nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.changeListeners.add(resolve);
    });
  }

  private directoryOf(id: string): string {
    return join(this.options.agentDirectory, 'allocations', id);
  }

  private add(desired: DesiredAllocation, memory: AllocationMemory = { ...FRESH_MEMORY }): void {
    const { options } = this;
    const directory = this.directoryOf(desired.id);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const identity = options.identityOf(desired.tenant);
    const logger = options.logger.child({ allocation: desired.id, project: desired.project, component: desired.component });
    const { journal, supervisor, preparation, services, clock } = options;
    const record = new AllocationRecord(desired, memory, journal, clock, options.restart);
    const lock = createHash('sha256')
      .update(componentKey(placeOf(desired)))
      .digest('hex')
      .slice(0, 32);
    const allocation = new Allocation(record, {
      ...{ supervisor, preparation, services, clock, logger, directory, identity },
      lockFile: join(options.agentDirectory, 'locks', lock),
      log: new ComponentLog({ directory, tenant: identity, writer: options.logIdentity, command: options.logCommand, logger }),
      surroundings: this.surroundings(desired),
    });
    record.save();
    this.allocations.set(desired.id, allocation);
    if (this.halting) allocation.halt();
    const loop = allocation.run().catch((error: unknown) => logger.fatal({ err: error }, 'an allocation is no longer looked after'));
    this.loops.add(loop);
    void loop.then(() => this.loops.delete(loop));
  }

  private surroundings({ id, projectId }: DesiredAllocation): Surroundings {
    return {
      blockedBy: (allocation) => this.blockedBy(allocation),
      exportsOf: (desired) => this.exportsOf(desired),
      sharesDirectory: (allocation) => this.siblings(allocation).some(({ desired }) => desired.desired !== 'removed'),
      changed: (allocation) => this.changed(allocation),
      progress: (step, text) => this.options.onProgress(id, step, this.redact(projectId, text)),
      redact: (text) => this.redact(projectId, text),
    };
  }

  /** Other allocations of the same component: other releases of it. */
  private siblings(allocation: Allocation): Allocation[] {
    const key = componentKey(placeOf(allocation.desired));
    return [...this.allocations.values()].filter((other) => other !== allocation && componentKey(placeOf(other.desired)) === key);
  }

  private exportsOf({ needs }: DesiredAllocation): ExportsByNeed {
    return Object.fromEntries(Object.entries(needs).map(([name, id]) => [name, this.allocations.get(id)?.exports ?? {}]));
  }

  private blockedBy(allocation: Allocation): string | undefined {
    if (this.siblings(allocation).some(({ isRunning }) => isRunning)) return 'waits for the previous release to end';
    const missing = Object.entries(allocation.desired.needs)
      .filter(([, id]) => this.allocations.get(id)?.exports === undefined)
      .map(([name]) => name);
    if (missing.length > 0) return `waits for ${missing.join(', ')} to be installed`;
    return this.unhealthyNeeds(allocation);
  }

  private unhealthyNeeds(allocation: Allocation): string | undefined {
    const needs = Object.entries(allocation.desired.needs).filter(([, id]) => {
      const need = this.allocations.get(id);
      return need?.desired.desired === 'running' && !need.isHealthy && !need.hasFailed;
    });
    if (needs.length === 0) {
      this.waitingSince.delete(allocation.id);
      return undefined;
    }
    const now = this.options.clock.monotonic();
    const since = this.waitingSince.get(allocation.id);
    if (since === undefined) {
      this.waitingSince.set(allocation.id, now);
      setTimeout(() => allocation.wake(), LONGEST_WAIT_FOR_NEEDS_MS + 1).unref();
    } else if (now - since >= LONGEST_WAIT_FOR_NEEDS_MS) return undefined;
    return `waits for ${needs.map(([name]) => name).join(', ')} to be healthy`;
  }

  /** Tells the control plane, and wakes the allocations that may have waited for this. */
  private changed(allocation: Allocation): void {
    this.options.onChange(this.reportOf(allocation));
    for (const other of this.allocations.values()) if (!other.isRunning && other !== allocation) other.wake();
    for (const listener of this.changeListeners) listener();
    this.changeListeners.clear();
  }

  /** What scripts and processes print may hold their secrets: those do not leave this machine. */
  private reportOf(allocation: Allocation): ObservedAllocation {
    const observed = allocation.observe();
    const mask = (text: string): string => this.redact(allocation.desired.projectId, text);
    return {
      ...observed,
      ...(observed.message === undefined ? {} : { message: mask(observed.message) }),
      ...(observed.healthMessage === undefined ? {} : { healthMessage: mask(observed.healthMessage) }),
      ...(observed.logTail === undefined ? {} : { logTail: observed.logTail.map(mask) }),
    };
  }

  /** The control plane no longer names it: what was removed is forgotten, anything else is stopped and kept. */
  private abandon(allocation: Allocation): void {
    if (allocation.observe().state === 'removed') {
      allocation.close();
      this.allocations.delete(allocation.id);
      this.options.journal.forgetAllocation(allocation.id);
      rmSync(this.directoryOf(allocation.id), { recursive: true, force: true });
      return;
    }
    if (allocation.desired.desired === 'stopped' || allocation.desired.desired === 'removed') return;
    this.options.logger.warn({ allocation: allocation.id }, 'an allocation is no longer desired: it is stopped and its files are kept');
    allocation.update({ ...allocation.desired, desired: 'stopped' });
  }
}

function secretsOf({ vars, secretVars, secretEnv }: DesiredAllocation): string[] {
  return [...secretVars.flatMap((name) => vars[name] ?? []), ...Object.values(secretEnv)];
}
