import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { DomainError } from '../../../common/domain-error.js';
import type { DesiredAllocation } from '../../../link/messages.js';
import type { Identity } from '../sandbox/sandbox.types.js';
import type { PortStore, StoreEntry } from '../store/store.types.js';
import { type Prepared, StepFailed } from './allocation.types.js';
import type { ComponentPlace, TenantDirectories } from './component-directory.js';
import { constantEnvironment } from './environment.js';
import type { Journal } from './journal.js';
import { type ComponentContext, type PortScripts, manifestOf } from './port-scripts.js';
import { FETCH_STEP, type SourceFetcher } from './sources/source-fetcher.js';
import { digestOf, preparationKey } from './specification.js';
import { KeyedMutex, Semaphore } from './support.js';

const BUILD_TIMEOUT_MS = 30 * 60_000;
const INIT_TIMEOUT_MS = 10 * 60_000;

export interface PreparationOptions {
  store: PortStore;
  scripts: PortScripts;
  sources: SourceFetcher;
  directories: TenantDirectories;
  journal: Journal;
  /** Builds that run at once. */
  builds: number;
}

/** Tells people what happens: the step, and a line. */
export type Progress = (step: string, text: string) => void;

/** Installs, builds and initialises components; touches nothing that runs. Each step is done once, whatever process is asked again. */
export class Preparation {
  private readonly builds: Semaphore;
  private readonly components = new KeyedMutex();

  constructor(private readonly options: PreparationOptions) {
    this.builds = new Semaphore(options.builds);
  }

  /** Prepares a specification. Rejects with `StepFailed`, which names the step, or what the step threw. */
  prepare(allocation: DesiredAllocation, identity: Identity, progress: Progress, signal: AbortSignal): Promise<Prepared> {
    const place = placeOf(allocation);
    const work = async (): Promise<Prepared> => {
      const entry = await inStep('store', () => this.install(allocation, progress, signal));
      this.options.directories.ensure(place, identity);
      const base = this.context(allocation, identity, entry, undefined);
      // What fails here is tried again, and told, once all is prepared.
      const early = this.earlyExports(base).catch(() => undefined);
      const release = await this.release(base, progress, signal);
      const context = { ...base, releaseDir: release.releaseDir };
      await this.initialise(context, progress, signal);
      const exports = (await early) ?? (await inStep('init', () => this.options.scripts.exports(context, {})));
      return {
        key: preparationKey(allocation),
        storeDigest: entry.digest,
        resolvedVersion: entry.resolvedVersion,
        ...release,
        exports,
      };
    };
    const { directories, sources } = this.options;
    // Releases of one component share its directory.
    return this.components.use(directories.paths(place).component, () => sources.ahead(allocation.source, signal, work));
  }

  /** What scripts of a prepared allocation need. */
  context(allocation: DesiredAllocation, identity: Identity, entry: StoreEntry, releaseDir: string | undefined): ComponentContext {
    const place = placeOf(allocation);
    return { allocation, place, paths: this.options.directories.paths(place), identity, entry, manifest: manifestOf(entry), releaseDir };
  }

  /** Forgets what was done in a component's directory, which is gone. */
  forget(place: ComponentPlace): void {
    this.options.journal.forgetOperations(`${componentKey(place)}:`);
  }

  /** What an instance that is initialised already exports, asked for while its new release is built; nothing when it must be prepared first. */
  private async earlyExports(base: ComponentContext): Promise<Record<string, string> | undefined> {
    const { allocation, entry, place, paths } = base;
    const { journal, scripts } = this.options;
    if (!scripts.has(entry, 'init.sh') || !journal.isDone(initialisationKey(place, entry))) return undefined;
    if (allocation.source?.kind === 'git') return undefined;
    const releaseDir = scripts.has(entry, 'build.sh')
      ? releaseAt(paths.component, releaseName(base, undefined), undefined).releaseDir
      : undefined;
    return scripts.exports({ ...base, releaseDir }, {});
  }

  private async install({ port, version, vars }: DesiredAllocation, progress: Progress, signal: AbortSignal): Promise<StoreEntry> {
    const { store } = this.options;
    const found = await store.find(port, version, vars);
    if (found) return found;
    progress('store', `installing ${port} ${version}`);
    return this.builds.use(() => store.ensure(port, version, vars, { onProgress: (line) => progress('store', line), signal }));
  }

  /** Fetches and builds the code of an app; gives nothing for ports that have none. */
  private async release(context: ComponentContext, progress: Progress, signal: AbortSignal): Promise<Release> {
    const { allocation, entry, place, paths } = context;
    const { journal, scripts, directories } = this.options;
    const builds = scripts.has(entry, 'build.sh');
    if (!builds) {
      const commit = await this.fetchSource(context, progress, signal);
      return commit === undefined ? {} : { commit };
    }
    const nameOf = (commit: string | undefined): string => releaseName(context, commit);
    const keyOf = (name: string): string => `${componentKey(place)}:release:${name}`;
    const isBuilt = (name: string): boolean => journal.isDone(keyOf(name)) && directories.exists(place, 'releases', name);
    // A ref moves, so each allocation looks at it once; an archive's digest says it all.
    const gitKey =
      allocation.source?.kind === 'git' ? `${componentKey(place)}:git:${digestOf([allocation.id, allocation.source])}` : undefined;
    const fetchGit = async (): Promise<string | null> => (await this.fetchSource(context, progress, signal)) ?? null;
    const before = gitKey === undefined ? undefined : textOrNothing(journal.result(gitKey));
    const known = nameOf(before);
    if ((gitKey === undefined || before !== undefined) && isBuilt(known)) return releaseAt(paths.component, known, before);
    // The source that an earlier agent fetched may have been replaced by another allocation's since.
    if (gitKey !== undefined) journal.forgetOperations(gitKey);
    const commit = gitKey === undefined ? undefined : ((await journal.once(gitKey, fetchGit)) ?? undefined);
    const name = nameOf(commit);
    if (!isBuilt(name)) {
      journal.forgetOperations(keyOf(name));
      await journal.once(keyOf(name), async () => {
        if (gitKey === undefined) await this.fetchSource(context, progress, signal);
        await this.build({ ...context, ...releaseAt(paths.component, name, commit) }, name, progress, signal);
      });
    }
    return releaseAt(paths.component, name, commit);
  }

  private fetchSource(context: ComponentContext, progress: Progress, signal: AbortSignal): Promise<string | undefined> {
    const { allocation, place, paths, identity } = context;
    const { source } = allocation;
    if (!source) return Promise.resolve(undefined);
    progress(FETCH_STEP, source.kind === 'git' ? `fetching ${source.ref} of ${source.url}` : 'unpacking the source');
    return inStep(FETCH_STEP, () =>
      this.builds.use(async () => {
        const component = this.options.directories.open(place);
        try {
          const onLine = (line: string): void => progress(FETCH_STEP, line);
          return await this.options.sources.fetch(source, { identity, component, path: paths.component }, { onLine, signal });
        } finally {
          closeSync(component);
        }
      }),
    );
  }

  private async build(context: ComponentContext, name: string, progress: Progress, signal: AbortSignal): Promise<void> {
    const { allocation, place, identity, manifest } = context;
    // What a build that was cut short left; each build begins with nothing.
    await this.options.directories.purgeBelow(place, 'releases', name, identity);
    await this.options.directories.stageRelease(place, identity);
    progress('build', 'building');
    const call = { script: 'build.sh', env: constantEnvironment(allocation), network: manifest.hithe.network.build, build: true };
    const onLine = (line: string): void => progress('build', line);
    await inStep('build', () =>
      this.builds.use(() => this.options.scripts.require('build', context, call, { timeoutMs: BUILD_TIMEOUT_MS, signal, onLine })),
    );
    this.options.directories.publishRelease(place, name);
  }

  private async initialise(context: ComponentContext, progress: Progress, signal: AbortSignal): Promise<void> {
    const { entry, place } = context;
    if (!this.options.scripts.has(entry, 'init.sh')) return;
    await this.options.journal.once(initialisationKey(place, entry), async () => {
      progress('init', 'initialising');
      const onLine = (line: string): void => progress('init', line);
      const call = { script: 'init.sh', env: {}, network: true };
      await inStep('init', () =>
        this.builds.use(() => this.options.scripts.require('init', context, call, { timeoutMs: INIT_TIMEOUT_MS, signal, onLine })),
      );
    });
  }
}

interface Release {
  releaseDir?: string;
  commit?: string;
}

const textOrNothing = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function releaseAt(component: string, name: string, commit: string | undefined): Release & { releaseDir: string } {
  return { releaseDir: join(component, 'releases', name), ...(commit === undefined ? {} : { commit }) };
}

/** A release is named by what it is made from. */
function releaseName({ allocation, entry }: ComponentContext, commit: string | undefined): string {
  const source = commit ?? allocation.source ?? null;
  return digestOf({ source, store: entry.digest, vars: allocation.vars, env: constantEnvironment(allocation) }).slice(0, 16);
}

function initialisationKey(place: ComponentPlace, entry: StoreEntry): string {
  return `${componentKey(place)}:init:${entry.port}`;
}

/** Which component an allocation is a replica of. */
export function placeOf({ tenant, project, component }: DesiredAllocation): ComponentPlace {
  return { slug: tenant.slug, project, component };
}

export const componentKey = ({ slug, project, component }: ComponentPlace): string => `${slug}/${project}/${component}`;

/** Makes every failure of a step say which one it was. */
async function inStep<T>(step: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw error instanceof StepFailed ? error : new StepFailed(failureFrom(step, error));
  }
}

/** What an observation says of an error of unknown kind. */
export function failureFrom(step: string, error: unknown): StepFailed['failure'] {
  if (error instanceof StepFailed) return error.failure;
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof DomainError)) return { step, message };
  const logTail = error.details['logTail'];
  const exit = error.details['exit'];
  return {
    step: typeof error.details['step'] === 'string' ? error.details['step'] : step,
    message: error.fix === undefined ? message : `${message} ${error.fix}`,
    ...(Array.isArray(logTail) ? { logTail: logTail.map(String) } : {}),
    ...(typeof exit === 'object' && exit !== null ? { exit } : {}),
  };
}
