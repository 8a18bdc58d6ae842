import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';

export const ROOT = resolve(import.meta.dirname, '../../..');
const START_SECONDS = 420;
const PASSWORD = 'correct horse battery staple';

/** How a command ended. */
export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  /** Whose log-in is used: the name of a configuration directory. */
  as?: string;
  stdin?: string;
  cwd?: string;
}

/** A whole Hithe in a home of its own, started by the launcher as a person would, and driven through the command line. */
export class Installation {
  static readonly email = 'admin@example.org';
  private readonly running = new Set<ChildProcess>();
  private launcher: ChildProcess | undefined;
  output = '';

  private constructor(
    readonly home: string,
    readonly port: number,
  ) {}

  /** A home in a directory that every uid may pass, since tenants live below it. Starts nothing. */
  static async create(): Promise<Installation> {
    return new Installation(await mkdtemp('/var/tmp/hithe-e2e-'), await freePort());
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Runs `npm start` until it says that Hithe runs. `settings`: more of its environment. */
  async start(args: readonly string[] = [], settings: Record<string, string> = {}): Promise<void> {
    this.output = '';
    const env = {
      ...withoutHithe(process.env),
      HITHE_HOME: this.home,
      HITHE_HTTP_PORT: String(this.port),
      HITHE_STORE: process.env['HITHE_STORE'] ?? '',
      HITHE_CACHE: process.env['HITHE_CACHE'] ?? '',
      HITHE_ADMIN_EMAIL: Installation.email,
      HITHE_ADMIN_PASSWORD: PASSWORD,
      ...settings,
    };
    const launcher = spawn(process.execPath, [join(ROOT, 'bin/start.mjs'), ...args], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.launcher = launcher;
    for (const stream of [launcher.stdout, launcher.stderr]) stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    const outcome = await eventually('npm start says that Hithe runs', START_SECONDS, () =>
      Promise.resolve(this.output.includes('Hithe runs') ? 'runs' : (launcher.exitCode ?? launcher.signalCode) !== null && 'ended'),
    );
    if (outcome === 'ended') throw new Error(`npm start failed:\n${this.output}`);
  }

  /** SIGINT stops everything, components too; SIGTERM leaves the components running. */
  async stop(signal: 'SIGINT' | 'SIGTERM' = 'SIGINT'): Promise<void> {
    for (const child of this.running) child.kill();
    const launcher = this.launcher;
    if (launcher === undefined || launcher.exitCode !== null) return;
    const ended = new Promise((done) => launcher.once('exit', done));
    launcher.kill(signal);
    await ended;
  }

  /** Stops everything and removes the home. */
  async dispose(): Promise<void> {
    await this.stop();
    await rm(this.home, { recursive: true, force: true });
  }

  login(): Promise<Ran> {
    return this.hithe(['login', '--server', this.url, '--email', Installation.email, '--password-stdin'], { stdin: PASSWORD });
  }

  /** Runs one command to its end. */
  async hithe(args: readonly string[], options: CliOptions = {}): Promise<Ran> {
    const child = this.spawnHithe(args, options);
    const ran: Ran = { code: null, stdout: '', stderr: '' };
    child.stdout?.on('data', (chunk: Buffer) => (ran.stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (ran.stderr += chunk.toString()));
    child.stdin?.end(options.stdin ?? '');
    ran.code = await new Promise((done) => child.once('close', done));
    return ran;
  }

  /** Runs one command that must succeed, and returns what it printed. */
  async ok(args: readonly string[], options: CliOptions = {}): Promise<string> {
    const ran = await this.hithe(args, options);
    if (ran.code === 0) return ran.stdout;
    throw new Error(`hithe ${args.join(' ')} ended with ${ran.code ?? 'a signal'}:\n${ran.stdout}${ran.stderr}`);
  }

  /** Runs one command with `--json`, and returns what it says. */
  async json<T>(args: readonly string[], options: CliOptions = {}): Promise<T> {
    return JSON.parse(await this.ok([...args, '--json'], options)) as T;
  }

  /** Starts a command that goes on, such as `logs -f`, and hands out its lines. Ends with the installation. */
  follow(args: readonly string[]): { lines: string[]; end: () => void } {
    const child = this.spawnHithe(args, {});
    const lines: string[] = [];
    let rest = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString()).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
    });
    return { lines, end: () => child.kill() };
  }

  /** Pid of the control plane or the agent, as the launcher recorded it. */
  async pidOf(service: 'control-plane' | 'agent'): Promise<number> {
    const record = JSON.parse(await readFile(join(this.home, 'run', `${service}.json`), 'utf8')) as { pid: number };
    return record.pid;
  }

  private spawnHithe(args: readonly string[], options: CliOptions): ChildProcess {
    const env = { ...withoutHithe(process.env), HITHE_CONFIG_DIR: join(this.home, `cli-${options.as ?? 'admin'}`), NO_COLOR: '1' };
    const child = spawn(join(ROOT, 'bin/hithe'), args, { cwd: options.cwd ?? ROOT, env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.running.add(child);
    child.once('close', () => this.running.delete(child));
    return child;
  }
}

/** The environment without what would configure another Hithe, or change how Node runs ours. */
function withoutHithe(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('HITHE_') && name !== 'NODE_OPTIONS'));
}
