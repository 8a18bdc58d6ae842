import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const EMAIL = 'bench@example.org';
export const PASSWORD = 'a pass phrase for benchmarks';

/** A network port that was free a moment ago. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A Hithe of its own for a benchmark, from the clone at `root`. */
export class Installation {
  constructor(home, port, root) {
    Object.assign(this, { home, port, root, url: `http://127.0.0.1:${port}` });
  }

  static async create(root = ROOT) {
    return new Installation(await mkdtemp('/var/tmp/hithe-bench-'), await freePort(), root);
  }

  get environment() {
    const inherited = Object.entries(process.env).filter(([name]) => name !== 'NODE_OPTIONS' && name !== 'NODE_COMPILE_CACHE');
    return {
      ...Object.fromEntries(inherited),
      HITHE_HOME: this.home,
      HITHE_HTTP_PORT: String(this.port),
      HITHE_ADMIN_EMAIL: EMAIL,
      HITHE_ADMIN_PASSWORD: PASSWORD,
      HITHE_CONFIG_DIR: join(this.home, 'bench-cli'),
      NO_COLOR: '1',
    };
  }

  /** Runs `npm start` and resolves with the milliseconds until it says that Hithe runs. */
  start(args = [], environment = {}) {
    const began = performance.now();
    let output = '';
    this.launcher = spawn('node', [join(this.root, 'bin/start.mjs'), ...args], {
      cwd: this.root,
      env: { ...this.environment, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new Promise((resolve, reject) => {
      const read = (chunk) => {
        output += chunk;
        if (output.includes('Hithe runs')) resolve(performance.now() - began);
      };
      this.launcher.stdout.on('data', read);
      this.launcher.stderr.on('data', read);
      this.launcher.once('exit', (code) => reject(new Error(`npm start ended with ${code}:\n${output}`)));
    });
  }

  async stop(signal = 'SIGINT') {
    if (this.launcher === undefined || this.launcher.exitCode !== null) return;
    const ended = new Promise((resolve) => this.launcher.once('exit', resolve));
    this.launcher.kill(signal);
    await ended;
  }

  async dispose() {
    await this.stop();
    await rm(this.home, { recursive: true, force: true });
  }

  /** Runs a command of the command line tool that must succeed, and resolves with what it printed. */
  async hithe(...args) {
    const { stdout } = await execute(join(this.root, 'bin/hithe'), args, { cwd: this.root, env: this.environment });
    return stdout;
  }

  async login() {
    const child = spawn(join(this.root, 'bin/hithe'), ['login', '--server', this.url, '--email', EMAIL, '--password-stdin'], {
      env: this.environment,
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    child.stdin.end(PASSWORD);
    const code = await new Promise((resolve) => child.once('close', resolve));
    if (code !== 0) throw new Error(`login ended with ${code}`);
  }

  async status(project) {
    return JSON.parse(await this.hithe('status', project, '--json'));
  }

  async pidOf(service) {
    if (service === 'database') return Number((await readFile(join(this.home, 'pg/data/postmaster.pid'), 'utf8')).split('\n')[0]);
    return JSON.parse(await readFile(join(this.home, 'run', `${service}.json`), 'utf8')).pid;
  }
}
