import type { Clock } from '../../../common/clock.js';
import { DomainError } from '../../../common/domain-error.js';
import type { DesiredAllocation } from '../../../link/messages.js';
import { listeningSockets } from '../facts/listeners.js';
import { HealthMonitor } from '../health/health-monitor.js';
import type { CheckResult, HealthState } from '../health/health-tracker.js';
import type { Identity, SandboxSpec } from '../sandbox/sandbox.types.js';
import type { PortStore, StoreEntry } from '../store/store.types.js';
import { describeExit } from '../support/exit-status.js';
import type { StopRequest } from '../supervisor/supervisor.types.js';
import type { Prepared } from './allocation.types.js';
import type { TenantDirectories } from './component-directory.js';
import { type ExportsByNeed, componentEnvironment } from './environment.js';
import { type PortScripts, manifestOf } from './port-scripts.js';
import { type Preparation, placeOf } from './preparation.js';

export interface ServiceControlOptions {
  store: PortStore;
  scripts: PortScripts;
  preparation: Preparation;
  directories: TenantDirectories;
  clock: Clock;
}

export interface WatchRequest {
  allocation: DesiredAllocation;
  identity: Identity;
  prepared: Prepared | undefined;
  needs: () => ExportsByNeed;
  /** Milliseconds that it has been running already. */
  running: number;
  onChange: (state: HealthState) => void;
}

const DEFAULT_STOP: StopRequest = { signal: 'SIGTERM', graceMs: 10_000 };

/** What is done with an installed component as a service: start it, ask after its health, know how to stop it, take it away. */
export class ServiceControl {
  private readonly monitors = new Map<string, HealthMonitor>();
  private readonly entries = new Map<string, StoreEntry>();

  constructor(private readonly options: ServiceControlOptions) {}

  /** Calls `launch` with the sandbox of the component's service. */
  async start<T>(
    allocation: DesiredAllocation,
    identity: Identity,
    prepared: Prepared,
    needs: ExportsByNeed,
    launch: (spec: SandboxSpec) => Promise<T>,
  ): Promise<T> {
    const entry = await this.entryOf(prepared);
    const context = this.options.preparation.context(allocation, identity, entry, prepared.releaseDir);
    return this.options.scripts.service(context, componentEnvironment(allocation, needs), launch);
  }

  /** Begins to check a service; replaces an earlier watch of the same allocation. */
  watch(id: string, request: WatchRequest): void {
    this.unwatch(id);
    const { allocation, running, onChange, identity } = request;
    const monitor = new HealthMonitor({
      policy: allocation.health,
      clock: this.options.clock,
      running,
      check: (signal) => this.check(request, signal),
      mayAnswer: () => isListening(allocation, identity),
      onChange,
    });
    this.monitors.set(id, monitor);
    monitor.start();
  }

  unwatch(id: string): void {
    this.monitors.get(id)?.stop();
    this.monitors.delete(id);
  }

  /** The stop signal and grace that the port's manifest names. */
  async stopRequest(prepared: Prepared | undefined): Promise<StopRequest> {
    const entry = prepared ? await this.findEntry(prepared) : undefined;
    if (!entry) return DEFAULT_STOP;
    const { signal, grace } = manifestOf(entry).hithe.stop;
    return { signal: signal as NodeJS.Signals, graceMs: grace * 1_000 };
  }

  /** Takes the files away: sets the component's directory aside, or deletes it. Where others use it, only the release goes. */
  async remove(
    allocation: DesiredAllocation,
    identity: Identity,
    prepared: Prepared | undefined,
    shared: boolean,
  ): Promise<string | undefined> {
    const place = placeOf(allocation);
    const { directories, clock } = this.options;
    if (shared) return undefined;
    if (!allocation.purge) return directories.setAside(place, identity, clock.now());
    await directories.purge(place, identity);
    if (prepared) this.entries.delete(prepared.storeDigest);
    return undefined;
  }

  private async check({ allocation, identity, prepared, needs }: WatchRequest, signal: AbortSignal): Promise<CheckResult> {
    const entry = prepared ? await this.findEntry(prepared) : undefined;
    if (!prepared || !entry) return { ok: false, message: 'The install that the component was started from is gone.' };
    if (!this.options.scripts.has(entry, 'test.sh')) return { ok: true, message: 'The process runs; its port has no test.sh.' };
    const context = this.options.preparation.context(allocation, identity, entry, prepared.releaseDir);
    const call = { script: 'test.sh', env: componentEnvironment(allocation, needs()), network: true };
    const timeoutMs = allocation.health.timeout * 1_000;
    const result = await this.options.scripts.run(context, call, { timeoutMs, signal });
    const last = result.tail.findLast((line) => line.trim() !== '');
    if (result.code === 0) return { ok: true, message: last ?? 'ok' };
    const how = result.timedOut ? `no answer within ${allocation.health.timeout} s` : describeExit(result);
    return { ok: false, message: last ?? `test.sh: ${how}` };
  }

  private async findEntry({ storeDigest }: Prepared): Promise<StoreEntry | undefined> {
    const known = this.entries.get(storeDigest);
    if (known) return known;
    const entry = await this.options.store.get(storeDigest);
    if (entry) this.entries.set(storeDigest, entry);
    return entry;
  }

  private async entryOf(prepared: Prepared): Promise<StoreEntry> {
    const entry = await this.findEntry(prepared);
    if (entry) return entry;
    throw new DomainError('unavailable', 'INSTALL_GONE', 'The install that the component was prepared with is gone from the store.', {
      fix: 'Deploy the project again; it is installed anew.',
    });
  }
}

/** Whether the tenant listens on every network port that the allocation was leased: before that, a check can only fail. */
function isListening(allocation: DesiredAllocation, identity: Identity): boolean {
  const wanted = Object.values(allocation.listen).map(({ port }) => port);
  if (wanted.length === 0) return true;
  const open = new Set(
    listeningSockets()
      .filter(({ uid }) => uid === identity.uid)
      .map(({ port }) => port),
  );
  return wanted.every((port) => open.has(port));
}
