import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ask } from './api.mjs';
import { Database } from './database.mjs';
import { Example } from './example.mjs';
import { Failure } from './failure.mjs';
import { makeFirstRecords } from './first-records.mjs';
import { ensureHome, ensureUsers, homeDirectory } from './home.mjs';
import { ensureHostPackages, ensureNamespaces } from './host-packages.mjs';
import { assertWanted, interruption } from './interruption.mjs';
import { isFree, whoListens } from './listeners.mjs';
import { Lock } from './lock.mjs';
import { Platform } from './platform.mjs';

const START_DEADLINE = 120_000;
/** Components get their own grace periods; this is the end of all patience. */
const COMPONENTS_DEADLINE = 180_000;

/** Brings one installation up, keeps it up, and takes it down. */
export class Launcher {
  constructor({ installation, progress, settings }) {
    Object.assign(this, { installation, progress, settings });
    this.home = homeDirectory();
    // What runs below must agree with us on where home is, whatever its own uid and home directory are.
    process.env.HITHE_HOME = this.home;
  }

  /** Everything up to an agent that is connected and isolated. Each step may be repeated. */
  async start() {
    const { installation } = this;
    await this.step('Host packages', (say) => ensureHostPackages(say));
    await this.step('Sandbox support of the kernel', () => ensureNamespaces());
    await this.step('Dependencies', (say) => installation.ensureDependencies(say));
    await this.step('Build', (say) => installation.ensureBuild(say));
    await this.step('Home', () => this.prepareHome());
    await this.step('Database', (say) => this.startDatabase(say));
    await this.step('Migrations and first records', (say) => this.bootstrap(say));
    await this.step('Control plane', () => this.startControlPlane());
    await this.step('Agent', (say) => this.startAgent(say));
  }

  step(title, work) {
    assertWanted();
    return this.progress.step(title, work);
  }

  async prepareHome() {
    const { hithePaths } = await import(pathToFileURL(join(this.installation.root, 'dist/src/config/home.js')).href);
    this.paths = hithePaths({ ...process.env, HITHE_HOME: this.home });
    this.users = await ensureUsers();
    await ensureHome(this.paths, this.users);
    await this.takeLock();
    this.platform = new Platform({ ...this, build: await this.installation.sourceDigest() });
    await this.assertPortIsOurs();
    return this.home;
  }

  async takeLock() {
    const holder = join(this.paths.run, 'launcher.pid');
    this.lock = await Lock.take(join(this.paths.run, 'launcher.lock'));
    if (this.lock === undefined) {
      const pid = (await readFile(holder, 'utf8').catch(() => 'unknown')).trim();
      throw new Failure(
        `Another npm start (pid ${pid}) runs on ${this.home}`,
        `Stop it with Ctrl-C there or with 'kill ${pid}', or choose another HITHE_HOME and HITHE_HTTP_PORT.`,
      );
    }
    await writeFile(holder, `${process.pid}\n`);
  }

  async assertPortIsOurs() {
    const { address, port } = this.settings;
    if (await isFree(address, port)) return;
    const holder = await whoListens(port);
    if (holder.pid !== undefined && holder.pid === this.platform.controlPlane.recorded()?.pid) return;
    throw new Failure(`Network port ${port} is taken by ${holder.description}`, 'Choose another one: HITHE_HTTP_PORT=7071 npm start');
  }

  async startDatabase(say) {
    if (this.settings.databaseOwnerUrl !== undefined) return 'HITHE_DATABASE_OWNER_URL';
    if (this.settings.databaseUrl !== undefined) return 'HITHE_DATABASE_URL';
    this.database = await Database.load(this);
    say('starting PostgreSQL');
    return describe(await this.database.ensureRunning());
  }

  async bootstrap(say) {
    await this.platform.ensureReadable(say);
    const { admin, adminIsNew, outcome } = await makeFirstRecords(this);
    Object.assign(this, { admin, adminIsNew });
    return outcome;
  }

  async startControlPlane() {
    const { controlPlane } = this.platform;
    const outcome = await controlPlane.ensureRunning();
    await controlPlane.waitFor(
      async () => (await ask(`${this.settings.url}/api/v1/health/live`))?.status === 200,
      'it answered',
      START_DEADLINE,
    );
    return describe(outcome);
  }

  async startAgent(say) {
    const { agent } = this.platform;
    const outcome = await agent.ensureRunning();
    let seen;
    const well = async () => {
      const health = await ask(`${this.settings.url}/api/v1/health`, { timeout: 5_000 });
      const ill = Object.values(health?.body?.parts ?? {}).find((part) => !part.ok);
      if (ill !== undefined && ill.message !== seen?.message) say(ill.message);
      seen = ill ?? seen;
      return health?.body?.parts !== undefined && ill === undefined;
    };
    await agent.waitFor(well, 'it was connected and its sandbox had passed its tests', START_DEADLINE).catch((error) => {
      throw new Failure(error.message, [seen?.message, seen?.fix, error.fix].filter(Boolean).join('\n'));
    });
    return describe(outcome);
  }

  /** The example, on the very first start. A failure is told, and the platform runs on: the next start tries again. */
  async deployExample() {
    const example = new Example({ ...this, url: this.settings.url, admin: this.admin });
    if (await example.isDone()) return;
    try {
      await this.progress.step('Example project "guestbook"', async (say) => {
        this.exampleAddress = await example.deploy(say);
        return this.exampleAddress;
      });
    } catch (error) {
      if (interruption.aborted) return;
      this.progress.fail(error);
      this.progress.print('Hithe itself runs; the next start will try the example again.');
    }
  }

  /** Restarts what dies, until `stop`. */
  supervise() {
    const tell = (text) => this.progress.print(`${new Date().toISOString()}  ${text}`);
    const services = [this.platform.controlPlane, this.platform.agent, ...(this.database ? [this.database] : [])];
    for (const service of services) service.supervise(tell).catch((error) => tell(`${error.stack}`));
  }

  /** Takes the installation down in order: agent (with the components, if so wanted), control plane, database. */
  async stop({ components }) {
    const { progress, platform } = this;
    if (platform !== undefined) {
      const [signal, grace] = components ? ['SIGUSR2', COMPONENTS_DEADLINE] : ['SIGTERM', 30_000];
      await progress.step(components ? 'Stopping components and agent' : 'Stopping the agent; components run on', () =>
        platform.agent.stop(signal, grace),
      );
      await progress.step('Stopping the control plane', () => platform.controlPlane.stop());
    }
    if (this.database !== undefined) await progress.step('Stopping PostgreSQL', () => this.database.stop());
    this.lock?.release();
  }
}

function describe(outcome) {
  return { adopted: 'was running', replaced: 'restarted with the new build or settings' }[outcome] ?? '';
}
