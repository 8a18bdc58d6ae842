import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '../../../src/common/ids.js';
import { PortCatalogue } from '../../../src/modules/ports/catalogue/port-catalogue.js';
import { Store } from '../../../src/modules/runner/store/store.js';
import { endOrphans, sandboxMark } from '../../../src/modules/runner/sandbox/orphans.js';
import { readStatus } from '../../../src/modules/runner/supervisor/status-file.js';
import { until } from '../../support/until.js';
import { FIXTURE_PORTS, ROOT, bundleAgent } from './agent-bundle.js';
import { ControlPlane } from './control-plane.js';
import { systemUser } from './system-user.js';

export type Mode = 'root' | 'rootless';
export const isRoot = process.geteuid?.() === 0;
/** Root tests both; an ordinary user can only be rootless. */
export const MODES: Mode[] = isRoot ? ['root', 'rootless'] : ['rootless'];

const ORDINARY_USER = 64_123;
export const TENANT_UID_BASE = 1_899_000_000;
/** $1 = the clone, which an ordinary user may not be able to enter, $2 = where to show it; the rest is the command. */
const IN_OWN_VIEW = 'mount --bind "$1" "$2"; cd "$2"; shift 2; exec "$@"';

/** One node with a home of its own: a real agent as a process of its own, and the control plane's end of its link. */
export class NodeUnderTest {
  readonly control: ControlPlane;
  readonly home: string;
  private agent: ChildProcess | undefined;
  private readonly agents = new Set<number>();

  private constructor(
    readonly mode: Mode,
    private readonly base: string,
    private readonly bundle: string,
  ) {
    this.home = join(base, 'home');
    this.control = new ControlPlane(join(base, 'sources'));
    this.control.credential = `credential-${newId()}`;
  }

  static async open(mode: Mode): Promise<NodeUnderTest> {
    await installFixtures();
    const base = mkdtempSync(join(tmpdir(), 'hithe-node-'));
    chmodSync(base, 0o755);
    const node = new NodeUnderTest(mode, base, await bundleAgent());
    await node.prepare();
    return node;
  }

  private async prepare(): Promise<void> {
    for (const name of ['home', 'home/agent', 'app', 'sources']) mkdirSync(join(this.base, name));
    await this.control.listen();
    const identity = { nodeId: newId(), credential: this.control.credential, serverUrl: this.control.url };
    writeFileSync(join(this.home, 'agent/node.json'), JSON.stringify(identity));
    if (isRoot && this.mode === 'rootless') {
      for (const path of ['home', 'home/agent', 'home/agent/node.json']) chownSync(join(this.base, path), ORDINARY_USER, ORDINARY_USER);
    }
  }

  get sources(): string {
    return join(this.base, 'sources');
  }

  /** Uid of processes of tenant `number`. */
  uidOf(number: number): number {
    if (this.mode === 'root') return TENANT_UID_BASE + number;
    return isRoot ? ORDINARY_USER : (process.getuid?.() ?? 0);
  }

  /** Starts the agent, through another command if wanted, and waits for its hello. */
  async start(environment: Record<string, string> = {}, through: string[] = []): Promise<void> {
    const hellos = this.control.hellos;
    this.spawn(environment, through);
    await until(() => this.control.hellos > hellos || this.agent?.exitCode !== null).catch((error: unknown) => {
      throw new Error(`The agent did not connect.\n${this.agentLog()}`, { cause: error });
    });
    if (this.control.hellos === hellos) throw new Error(`The agent ended.\n${this.agentLog()}`);
  }

  /** Ends the agent by a signal and waits for its end. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const agent = this.agent;
    this.agent = undefined;
    if (!agent || agent.exitCode !== null || agent.signalCode !== null) return;
    const exit = once(agent, 'exit');
    process.kill(this.agentPid, signal);
    await exit;
  }

  get agentPid(): number {
    const [pid] = [...this.agents].slice(-1);
    return pid ?? -1;
  }

  agentLog(): string {
    const path = join(this.base, 'agent.log');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  /** Ends everything that this node ever started, and removes its home unless it is wanted for a look. */
  async close(): Promise<void> {
    if (process.env['HITHE_TEST_VERBOSE']) process.stderr.write(this.agentLog());
    await this.end('SIGKILL');
    endOrphans(sandboxMark(join(this.home, 'agent')));
    for (const pid of this.sandboxPids()) kill(pid);
    await this.control.close();
    await until(() => this.sandboxPids().length === 0);
    rmSync(this.base, { recursive: true, force: true });
    rmSync(join(ROOT, this.bundle), { force: true });
  }

  private sandboxPids(): number[] {
    const directory = join(this.home, 'agent/allocations');
    if (!existsSync(directory)) return [];
    return readdirSync(directory, { recursive: true })
      .map(String)
      .filter((name) => /status-\d+\.json$/.test(name))
      .flatMap((name) => readStatus(join(directory, name)).sandboxPid ?? [])
      .filter((pid) => existsSync(`/proc/${pid}/comm`) && readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('bwrap'));
  }

  private spawn(environment: Record<string, string>, through: string[]): void {
    const log = openSync(join(this.base, 'agent.log'), 'a');
    const command = [process.execPath, '--disable-warning=ExperimentalWarning', this.bundle];
    const [file = '', ...args] = [...through, ...(isRoot && this.mode === 'rootless' ? this.asOrdinaryUser(command) : command)];
    this.agent = spawn(file, args, {
      cwd: ROOT,
      stdio: ['ignore', log, log],
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: this.home,
        HITHE_HOME: this.home,
        HITHE_STORE: process.env['HITHE_STORE'] ?? '',
        HITHE_CACHE: process.env['HITHE_CACHE'] ?? '',
        HITHE_PORTS_PATH: isRoot && this.mode === 'rootless' ? join(this.base, 'app/test/runner/fixtures/ports') : FIXTURE_PORTS,
        HITHE_TENANT_UID_BASE: String(TENANT_UID_BASE),
        ...environment,
      },
    });
    closeSync(log);
    if (this.agent.pid !== undefined) this.agents.add(this.agent.pid);
  }

  /** The clone may be in a directory that other users cannot enter: this one sees it elsewhere. Every step is an exec, so the pid stays. */
  private asOrdinaryUser(command: string[]): string[] {
    const app = join(this.base, 'app');
    const drop = ['setpriv', `--reuid=${ORDINARY_USER}`, `--regid=${ORDINARY_USER}`, '--clear-groups', '--inh-caps=-all', '--'];
    const shown = command.map((word) => word.replace(ROOT, app));
    return ['unshare', '--mount', '--propagation', 'private', '--', 'sh', '-euc', IN_OWN_VIEW, 'sh', ROOT, app, ...drop, ...shown];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

let installed: Promise<void> | undefined;

/** Puts the fixture ports into the shared store, as its owner; agents of every uid then find them there. */
function installFixtures(): Promise<void> {
  installed ??= (async () => {
    const catalogue = await PortCatalogue.load([join(ROOT, 'ports'), FIXTURE_PORTS]);
    const store = await Store.open({
      catalogue,
      storeDir: process.env['HITHE_STORE'] ?? '',
      cacheDir: process.env['HITHE_CACHE'] ?? '',
      owner: isRoot ? systemUser('hithe-store') : null,
      runSetup: () => Promise.reject(new Error('no fixture has a setup.sh')),
    });
    await store.ensure('s6', '2', {});
    for (const port of readdirSync(FIXTURE_PORTS)) await store.ensure(port, '24', {});
  })();
  return installed;
}
