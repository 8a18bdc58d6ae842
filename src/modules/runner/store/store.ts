import { randomUUID } from 'node:crypto';
import { chmod, chown, copyFile, lchown, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  buildClosure,
  ownedDirectory,
  publish,
  removeTree,
  seal,
  writeRecord,
  type ClosureRecord,
  type ClosureSources,
} from './closure-builder.js';
import { explainFailure } from './command.js';
import { DownloadCache } from './download-cache.js';
import { withFileLock } from './file-lock.js';
import { planInstall, type InstallPlan } from './install-plan.js';
import { platformOf, type SourceContext } from './sources/closure-source.js';
import { DebianSource } from './sources/debian.source.js';
import { NpmSource } from './sources/npm.source.js';
import { UrlSource } from './sources/url.source.js';
import { shortDigest } from './store-digest.js';
import type { EnsureOptions, PortStore, StoreEntry, StoreOptions } from './store.types.js';

/** `entry.json`: what `StoreEntry` needs beyond the closure's record. */
interface EntryRecord {
  digest: string;
  port: string;
  version: string;
  closure: string;
}

/**
 * The shared, read-only installs of a node. An entry is `<port>-<version>-<16 hex>/{root, port/, prefix/, closure.json}`;
 * `root` and `closure.json` are links into `closures/<16 hex>/`, so that a change of scripts, or another port on the same
 * software, costs no second tree. Everything is built aside under a lock and renamed into place; see README.md.
 */
export class Store implements PortStore {
  private readonly sources: ClosureSources;

  private constructor(
    private readonly options: StoreOptions,
    cache: DownloadCache,
  ) {
    const platform = platformOf();
    const mirror = { main: options.debianMirror, security: options.debianSecurityMirror };
    this.sources = {
      debian: new DebianSource({ cacheDir: options.cacheDir, cache, platform, mirror }),
      npm: new NpmSource({ cacheDir: options.cacheDir, cache, platform, registry: options.npmRegistry }),
      url: new UrlSource(cache),
      platform,
    };
  }

  /** Opens (and lays out, the first time) the store and its cache. */
  static async open(options: StoreOptions): Promise<Store> {
    const { storeDir, cacheDir, owner } = options;
    for (const path of [
      storeDir,
      cacheDir,
      ...['closures', '.building', '.locks'].map((name) => join(storeDir, name)),
      join(cacheDir, 'locks'),
    ]) {
      await mkdir(path, { recursive: true });
      if (owner === null || (await stat(path)).uid !== 0) continue;
      await chmod(path, 0o755);
      await chown(path, owner.uid, owner.gid);
    }
    const cache = new DownloadCache(cacheDir, owner);
    await cache.tidy();
    return new Store(options, cache);
  }

  async find(port: string, version: string, vars: Record<string, string>): Promise<StoreEntry | undefined> {
    return this.read(this.entryPath(await this.plan(port, version, vars)));
  }

  async get(digest: string): Promise<StoreEntry | undefined> {
    const name = (await readdir(this.options.storeDir)).find((each) => each.endsWith(`-${shortDigest(digest)}`));
    const entry = name === undefined ? undefined : await this.read(join(this.options.storeDir, name));
    return entry?.digest === digest ? entry : undefined;
  }

  async ensure(port: string, version: string, vars: Record<string, string>, options: EnsureOptions = {}): Promise<StoreEntry> {
    const plan = await this.plan(port, version, vars);
    const path = this.entryPath(plan);
    const found = await this.read(path);
    if (found !== undefined) return found;
    const context = this.context(options);
    const closure = await this.ensureClosure(plan, context);
    return this.locked(shortDigest(plan.digest), `${port} ${plan.version}`, context, async () => {
      const built = await this.read(path);
      if (built !== undefined) return built;
      await this.buildInto(path, context, (building) => this.buildEntry(plan, closure, building, context));
      const entry = await this.read(path);
      if (entry === undefined) throw new Error(`The store entry ${path} was built and is not there.`);
      return entry;
    });
  }

  /** The record of the plan's closure, which is built first when it is missing. */
  private async ensureClosure(plan: InstallPlan, context: SourceContext): Promise<ClosureRecord> {
    const path = this.closurePath(plan.closureDigest);
    const found = await readClosure(path);
    if (found !== undefined) return found;
    return this.locked(shortDigest(plan.closureDigest), `${plan.port} ${plan.version}`, context, async () => {
      const built = await readClosure(path);
      if (built !== undefined) return built;
      const started = Date.now();
      let record: ClosureRecord | undefined;
      await this.buildInto(path, context, async (building) => {
        record = await buildClosure(plan.closure, building, this.sources, context);
      });
      if (record === undefined) throw new Error(`The closure ${path} was built without a record.`);
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      context.progress(`installed ${plan.port} ${record.resolvedVersion}: ${record.packages.length} packages in ${seconds} s`);
      return record;
    });
  }

  private async buildEntry(plan: InstallPlan, closure: ClosureRecord, building: string, context: SourceContext): Promise<void> {
    const link = join('..', 'closures', shortDigest(closure.digest));
    await symlink(join(link, 'root'), join(building, 'root'));
    await symlink(join(link, 'closure.json'), join(building, 'closure.json'));
    await this.copyScripts(plan, join(building, 'port'), context);
    await ownedDirectory(join(building, 'prefix'), context);
    const record: EntryRecord = { digest: plan.digest, port: plan.port, version: plan.version, closure: closure.digest };
    const entry = this.toEntry(record, closure, building);
    for (const setup of plan.setups) {
      const { owner } = this.options;
      const label = `${setup.port}: setup`;
      context.progress(label);
      const onOutput = (line: string): void => {
        context.progress(`${label}: ${line}`);
      };
      await this.options.runSetup({
        entry,
        port: setup.port,
        owner,
        vars: plan.buildVars,
        network: setup.network,
        onOutput,
        signal: context.signal,
      });
    }
    await seal(join(building, 'prefix'), context);
    await seal(join(building, 'port'), context);
    await writeRecord(join(building, 'entry.json'), record, context);
  }

  private async copyScripts(plan: InstallPlan, target: string, context: SourceContext): Promise<void> {
    await ownedDirectory(target, context);
    for (const [name, files] of plan.scripts) {
      const made = new Set<string>();
      await ownedDirectory(join(target, name), context);
      for (const file of files) {
        for (const parent of parents(file.path)) {
          if (made.has(parent)) continue;
          made.add(parent);
          await ownedDirectory(join(target, name, parent), context);
        }
        const copy = join(target, name, file.path);
        await (file.text === undefined ? copyFile(file.source, copy) : writeFile(copy, file.text));
        await chmod(copy, file.executable ? 0o755 : 0o644);
        if (context.owner !== null) await lchown(copy, context.owner.uid, context.owner.gid);
      }
    }
  }

  /** Builds aside and publishes as `path`; whatever an earlier, interrupted attempt left is discarded. The lock is held. */
  private async buildInto(path: string, context: SourceContext, build: (building: string) => Promise<void>): Promise<void> {
    const aside = join(this.options.storeDir, '.building');
    const prefix = `${path.split('/').at(-1) ?? ''}.`;
    for (const name of await readdir(aside)) {
      if (name.startsWith(prefix)) await removeTree(join(aside, name), context);
    }
    // Not complete, or nobody would build it.
    await removeTree(path, context);
    const building = join(aside, `${prefix}${randomUUID()}`);
    await ownedDirectory(building, context);
    try {
      await build(building);
      context.signal?.throwIfAborted();
      await publish(building, path, context);
    } catch (error) {
      await removeTree(building, context).catch((reason: unknown) => {
        context.progress(`warning: ${building} could not be removed, the next installation will: ${String(reason)}`);
      });
      throw explainFailure(error);
    }
  }

  private locked<T>(name: string, what: string, context: SourceContext, work: () => Promise<T>): Promise<T> {
    const onWait = (): void => {
      context.progress(`waiting: ${what} is being installed for somebody else`);
    };
    return withFileLock(join(this.options.storeDir, '.locks', name), { owner: context.owner, signal: context.signal, onWait }, work);
  }

  private plan(port: string, version: string, vars: Record<string, string>): Promise<InstallPlan> {
    return planInstall(this.options.catalogue, port, version, vars, this.sources.platform);
  }

  private context(options: EnsureOptions): SourceContext {
    const { owner, networkEnv } = this.options;
    return { owner, signal: options.signal, progress: options.onProgress ?? (() => undefined), networkEnv: networkEnv ?? {} };
  }

  private entryPath(plan: InstallPlan): string {
    return join(this.options.storeDir, `${plan.port}-${plan.version}-${shortDigest(plan.digest)}`);
  }

  private closurePath(digest: string): string {
    return join(this.options.storeDir, 'closures', shortDigest(digest));
  }

  private async read(path: string): Promise<StoreEntry | undefined> {
    const record = await readJson<EntryRecord>(join(path, 'entry.json'));
    if (record === undefined) return undefined;
    const closure = await readClosure(this.closurePath(record.closure));
    return closure === undefined ? undefined : this.toEntry(record, closure, path);
  }

  private toEntry(record: EntryRecord, closure: ClosureRecord, path: string): StoreEntry {
    return {
      digest: record.digest,
      port: record.port,
      version: record.version,
      resolvedVersion: closure.resolvedVersion,
      path,
      root: join(this.closurePath(closure.digest), 'root'),
      scriptsDir: join(path, 'port'),
      prefix: join(path, 'prefix'),
      packages: closure.packages,
    };
  }
}

function parents(path: string): string[] {
  const parent = dirname(path);
  return parent === '.' ? [] : [...parents(parent), parent];
}

function readClosure(path: string): Promise<ClosureRecord | undefined> {
  return readJson<ClosureRecord>(join(path, 'closure.json'));
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
