import { closeSync, existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Manifest, manifestSchema } from '../../ports/domain/manifest.js';
import type { DirectoryBind, Identity, RunOptions, RunResult, Sandbox, SandboxSpec } from '../sandbox/sandbox.types.js';
import type { StoreEntry } from '../store/store.types.js';
import { describeExit } from '../support/exit-status.js';
import type { DesiredAllocation } from '../../../link/messages.js';
import { type Failure, StepFailed } from './allocation.types.js';
import type { BuildEnvironment } from './build-environment.js';
import { type ComponentPlace, STAGE, type TenantDirectories } from './component-directory.js';
import { type ComponentPaths, PORTS_TARGET, PREFIX_TARGET, RELEASE_TARGET, runDirectoryTarget, scriptEnvironment } from './environment.js';

/** A component on its installed port: all that its scripts need. */
export interface ComponentContext {
  allocation: DesiredAllocation;
  place: ComponentPlace;
  paths: ComponentPaths;
  identity: Identity;
  entry: StoreEntry;
  manifest: Manifest;
  releaseDir: string | undefined;
}

export interface ScriptCall {
  /** File name in the port's directory. */
  script: string;
  /** Arguments of the script, such as `drop` of `provision.sh`. */
  args?: readonly string[];
  /** Over the environment that every script has. */
  env: Record<string, string>;
  network: boolean;
  /** Adds what the operator lets builds see, and shows the staged release (`TenantDirectories.stageRelease`) in place of a finished one. */
  build?: boolean;
}

/** The command line of one of the scripts in `ports/_lib`, on a path below the ports. */
export function libraryCommand(runner: 'run.sh' | 'exports.sh', path: string): string[] {
  return ['/bin/sh', `${PORTS_TARGET}/_lib/${runner}`, `${PORTS_TARGET}/${path}`];
}

const manifests = new Map<string, Manifest>();

/** The manifest that lies in a store entry, beside the scripts that it belongs to. Entries are immutable, so each is read once. */
export function manifestOf(entry: StoreEntry): Manifest {
  const known = manifests.get(entry.digest);
  if (known) return known;
  const manifest = manifestSchema.parse(JSON.parse(readFileSync(join(entry.scriptsDir, entry.port, 'manifest.json'), 'utf8')));
  manifests.set(entry.digest, manifest);
  return manifest;
}

/** Runs the scripts of installed ports, each in a sandbox of its own that shows one component. */
export class PortScripts {
  constructor(
    private readonly sandbox: Sandbox,
    private readonly directories: TenantDirectories,
    private readonly build: BuildEnvironment,
  ) {}

  has(entry: StoreEntry, script: string): boolean {
    return existsSync(join(entry.scriptsDir, entry.port, script));
  }

  /** Runs a script to its end. Its exit code is the caller's to judge. */
  run(context: ComponentContext, call: ScriptCall, options: RunOptions): Promise<RunResult> {
    const command = [...libraryCommand('run.sh', `${context.entry.port}/${call.script}`), ...(call.args ?? [])];
    return this.withSpec(context, call, command, (spec) => this.sandbox.run(spec, options));
  }

  /** Runs a script that has to succeed; otherwise `StepFailed` with its last lines. */
  async require(step: string, context: ComponentContext, call: ScriptCall, options: RunOptions): Promise<RunResult> {
    return requireSuccess(step, call.script, await this.run(context, call, options));
  }

  /** The variables that the port's `env.sh` exports, by the names that the manifest declares. */
  async exports(context: ComponentContext, env: Record<string, string>): Promise<Record<string, string>> {
    const { exports: names } = context.manifest.hithe;
    if (names.length === 0) return {};
    const command = [...libraryCommand('exports.sh', context.entry.port), ...names];
    const call = { script: 'env.sh', env, network: false };
    const result = await this.withSpec(context, call, command, (spec) => this.sandbox.run(spec, { timeoutMs: 30_000 }));
    // The tail could repeat an export, so it is not part of the failure.
    requireSuccess('init', 'env.sh', { ...result, tail: [] });
    const pairs = result.stdout.toString('utf8').split('\0').slice(0, -1);
    return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
  }

  /** Calls `start` with the sandbox of the service; descriptors in it are valid until it has returned. */
  service<T>(context: ComponentContext, env: Record<string, string>, start: (spec: SandboxSpec) => Promise<T>): Promise<T> {
    const command = libraryCommand('run.sh', `${context.entry.port}/start.sh`);
    return this.withSpec(context, { script: 'start.sh', env, network: true }, command, start);
  }

  private async withSpec<T>(
    context: ComponentContext,
    call: ScriptCall,
    command: string[],
    use: (spec: SandboxSpec) => Promise<T>,
  ): Promise<T> {
    const { allocation, paths, identity, entry } = context;
    const directories = this.openDirectories(context, call.build === true);
    try {
      return await use({
        identity,
        hostname: `${allocation.component}.${allocation.project}`.slice(0, 63),
        system: { kind: 'closure', root: entry.root },
        readOnly: [
          { source: entry.scriptsDir, target: PORTS_TARGET },
          { source: entry.prefix, target: PREFIX_TARGET },
        ],
        directories,
        ...(call.build ? { files: this.build.files } : {}),
        env: { ...scriptEnvironment(context), ...(call.build ? this.build.env : {}), ...call.env },
        network: call.network,
        chdir: paths.component,
        command,
      });
    } finally {
      for (const { fd } of directories) closeSync(fd);
    }
  }

  /** The component's own directory, its run directory, its release, and the run directories of what it needs. */
  private openDirectories({ allocation, place, paths, releaseDir }: ComponentContext, build: boolean): DirectoryBind[] {
    const opened: DirectoryBind[] = [];
    try {
      opened.push({ fd: this.directories.open(place), target: paths.component, writable: true });
      opened.push({ fd: this.directories.open(place, 'run'), target: runDirectoryTarget(place.component), writable: true });
      if (releaseDir !== undefined) {
        const release = build ? STAGE : ['releases', basename(releaseDir)];
        // The exports of an instance may be asked for before its new release is built.
        if (this.directories.exists(place, ...release))
          opened.push({ fd: this.directories.open(place, ...release), target: RELEASE_TARGET, writable: true });
      }
      for (const component of Object.keys(allocation.needs)) {
        const need = { ...place, component };
        if (!this.directories.exists(need, 'run')) continue;
        // Read-only still lets a socket in it be connected to.
        opened.push({ fd: this.directories.open(need, 'run'), target: runDirectoryTarget(component), writable: false });
      }
      return opened;
    } catch (error) {
      for (const { fd } of opened) closeSync(fd);
      throw error;
    }
  }
}

/** Turns anything but success into `StepFailed`. */
export function requireSuccess(step: string, what: string, result: RunResult): RunResult {
  if (result.code === 0) return result;
  throw new StepFailed(failureOf(step, what, result));
}

function failureOf(step: string, what: string, result: RunResult): Failure {
  const { code, signal, timedOut, aborted, tail: logTail } = result;
  const exit = { ...(code === undefined ? {} : { code }), ...(signal === undefined ? {} : { signal }) };
  const how = timedOut ? 'did not end in time' : aborted ? 'was cancelled' : `ended with ${describeExit(exit)}`;
  const last = logTail.findLast((line) => line.trim() !== '');
  return { step, message: `${what} ${how}${last === undefined ? '' : `: ${last}`}`, ...(timedOut || aborted ? {} : { exit }), logTail };
}
