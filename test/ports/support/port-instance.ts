import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type DesiredAllocation, desiredAllocationSchema } from '../../../src/link/messages.js';
import { type ComponentContext, manifestOf } from '../../../src/modules/runner/allocations/port-scripts.js';
import type { RunOptions, RunResult } from '../../../src/modules/runner/sandbox/sandbox.types.js';
import type { Ended, Supervised } from '../../../src/modules/runner/supervisor/supervisor.types.js';
import { freeNetworkPort } from './network-port.js';
import type { PortWorkshop } from './port-workshop.js';

const HEALTHY_WITHIN_MS = 120_000;
const SCRIPT_TIMEOUT_MS = 300_000;

export interface PortInstanceInput {
  port: string;
  version: string;
  vars?: Record<string, string | number | boolean>;
  /** Directory of an app's code. */
  source?: string;
}

/** One component that a test drives through its port's scripts, as the agent would. */
export class PortInstance {
  private running: Supervised | undefined;
  private starts = 0;
  private release = 0;

  private constructor(
    private readonly workshop: PortWorkshop,
    readonly context: ComponentContext,
    private readonly source: string | undefined,
    /** What was generated, and must never be seen by others. */
    readonly secrets: string[],
  ) {}

  /** Installs the port and makes the component's directories; no script but `setup.sh` has run. */
  static async create(workshop: PortWorkshop, input: PortInstanceInput): Promise<PortInstance> {
    const { values, secrets } = completeVars(workshop, input);
    const entry = await workshop.store.ensure(input.port, input.version, values);
    const manifest = manifestOf(entry);
    const listen: DesiredAllocation['listen'] = {};
    for (const endpoint of Object.keys(manifest.hithe.endpoints)) {
      listen[endpoint] = { address: '127.0.0.1', port: await freeNetworkPort() };
    }
    const place = { slug: 'team', project: workshop.newName(), component: 'it' };
    const allocation = desiredAllocationSchema.parse({
      ...{ id: randomUUID(), epoch: 1, desired: 'running', projectId: randomUUID(), release: 1 },
      tenant: { number: 0, slug: place.slug },
      ...{ project: place.project, component: place.component, port: input.port, version: input.version, vars: values, env: {} },
      ...{ needs: {}, listen, health: manifest.hithe.health },
    });
    workshop.directories.ensure(place, workshop.identity);
    const paths = workshop.directories.paths(place);
    const context = { allocation, place, paths, identity: workshop.identity, entry, manifest, releaseDir: undefined };
    return new PortInstance(workshop, context, input.source, secrets);
  }

  /** The leased address of the first endpoint. */
  get networkPort(): number {
    return Object.values(this.context.allocation.listen)[0]?.port ?? 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.networkPort}`;
  }

  get output(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  /** Changes a var, as a new release would. */
  setVar(name: string, value: string): void {
    this.context.allocation.vars[name] = value;
  }

  hasScript(name: string): boolean {
    return this.workshop.scripts.has(this.context.entry, name);
  }

  /** The component's directories that hold something. */
  filledDirectories(): string[] {
    const { component } = this.context.paths;
    return readdirSync(component).filter((name) => readdirSync(join(component, name)).length > 0);
  }

  /** Runs a script to its end. */
  async run(script: string, env: Record<string, string> = {}, options: Partial<RunOptions> = {}, args: string[] = []): Promise<RunResult> {
    const call = { script, args, env, network: true, build: script === 'build.sh' };
    return this.workshop.scripts.run(this.context, call, { timeoutMs: SCRIPT_TIMEOUT_MS, ...options });
  }

  /** Runs a script that has to succeed, and gives what it printed on stdout. */
  async succeed(script: string, env: Record<string, string> = {}, options: Partial<RunOptions> = {}, args: string[] = []): Promise<Buffer> {
    const result = await this.run(script, env, options, args);
    if (result.code !== 0 || result.truncated) throw new Error(`${script} ended with ${String(result.code)}:\n${result.tail.join('\n')}`);
    return result.stdout;
  }

  /** Copies the source into the component, as a new release, and builds it. */
  async build(env: Record<string, string> = {}): Promise<RunResult> {
    const { component } = this.context.paths;
    await rm(join(component, 'source'), { recursive: true, force: true });
    if (this.source === undefined) await mkdir(join(component, 'source'));
    else await cp(this.source, join(component, 'source'), { recursive: true });
    if (process.geteuid?.() === 0)
      spawnSync('chown', ['-R', `${this.workshop.identity.uid}:${this.workshop.identity.gid}`, join(component, 'source')]);
    this.release += 1;
    const name = `r${this.release}`;
    const { directories, identity } = this.workshop;
    await directories.stageRelease(this.context.place, identity);
    const before = this.context.releaseDir;
    this.context.releaseDir = join(component, 'releases', name);
    const result = await this.run('build.sh', env);
    if (result.code === 0) directories.publishRelease(this.context.place, name);
    else this.context.releaseDir = before;
    return result;
  }

  async start(): Promise<Supervised> {
    writeFileSync(this.logFile, '');
    await this.workshop.giveToTenant(this.logFile);
    this.starts += 1;
    const output = openSync(this.logFile, 'a');
    const state = join(this.workshop.directory, this.context.allocation.id);
    try {
      this.running = await this.workshop.scripts.service(this.context, {}, (spec) =>
        this.workshop.supervisor.start({ spec, statusFile: `${state}.${this.starts}`, lockFile: `${state}.lock`, output }),
      );
    } finally {
      closeSync(output);
    }
    return this.running;
  }

  /** Resolves with what `test.sh` said once it is content; rejects when the service ends or time is over. */
  async untilHealthy(): Promise<string> {
    const deadline = Date.now() + HEALTHY_WITHIN_MS;
    for (;;) {
      const result = await this.run('test.sh');
      if (result.code === 0) return result.stdout.toString('utf8').trim();
      const alive = this.running !== undefined && this.workshop.supervisor.isRunning(this.running);
      if (!alive || Date.now() > deadline) throw new Error(`not healthy: ${result.tail.join('\n')}\n${this.output}`);
      await delay(50);
    }
  }

  async startHealthy(): Promise<string> {
    await this.start();
    return this.untilHealthy();
  }

  /** Ends everything at once, as a power cut would. */
  async kill(): Promise<Ended | undefined> {
    const { running } = this;
    if (running === undefined) return undefined;
    process.kill(running.record.sandboxPid, 'SIGKILL');
    this.running = undefined;
    return running.ended;
  }

  /** Asks the service to end, as its manifest says. */
  async stop(): Promise<Ended | undefined> {
    const { running } = this;
    if (running === undefined) return undefined;
    const { signal, grace } = this.context.manifest.hithe.stop;
    this.running = undefined;
    return this.workshop.supervisor.stop(running, { signal: signal as NodeJS.Signals, graceMs: grace * 1000 });
  }

  /** The backup of a running instance. */
  async backup(): Promise<Buffer> {
    return this.succeed('backup.sh', {}, { maxOutput: 64 * 1024 * 1024 });
  }

  /** Feeds `dump` to `restore.sh` of a stopped instance. */
  async restore(dump: Buffer): Promise<RunResult> {
    const file = join(this.workshop.directory, `${this.context.allocation.id}.dump`);
    writeFileSync(file, dump);
    const stdin = openSync(file, 'r');
    try {
      return await this.run('restore.sh', {}, { stdin });
    } finally {
      closeSync(stdin);
    }
  }

  /** What dependants would see. */
  exports(): Promise<Record<string, string>> {
    return this.workshop.scripts.exports(this.context, {});
  }

  /** Whether `text` stands on the command line of any process of the tenant's sandboxes. */
  isOnCommandLine(text: string): boolean {
    const lines = spawnSync('ps', ['-ww', '-eo', 'args'], { encoding: 'utf8' }).stdout;
    return lines.includes(text);
  }

  async close(): Promise<void> {
    await this.kill();
    await this.workshop.directories.purge(this.context.place, this.workshop.identity);
  }

  private get logFile(): string {
    return join(this.workshop.directory, `${this.context.allocation.id}.log`);
  }
}

/** The vars as the control plane would send them: validated, with defaults, and with what it makes up. */
function completeVars(
  workshop: PortWorkshop,
  { port, vars = {} }: PortInstanceInput,
): { values: Record<string, string>; secrets: string[] } {
  const { values, faults, generate } = workshop.catalogue.validateVars(port, vars);
  if (faults.length > 0) throw new Error(JSON.stringify(faults));
  // Characters that shells, SQL, URLs and configuration files treat specially.
  const generated = generate.map(({ name }) => [name, `a'b"c\\d$e%f#${randomUUID()}`] as const);
  return { values: { ...values, ...Object.fromEntries(generated) }, secrets: generated.map(([, value]) => value) };
}
