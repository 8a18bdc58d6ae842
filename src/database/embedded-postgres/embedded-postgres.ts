import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, open, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { findPostmaster, removeStaleLock, waitForExit } from './postmaster.js';
import { installServerFiles } from './server-files.js';
import { serverSettings } from './settings.js';
import { socketDirectoryFor } from './socket-directory.js';

/** A numeric user and group. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface EmbeddedPostgresOptions {
  readonly directories: { readonly root: string; readonly server: string; readonly data: string; readonly run: string };
  readonly logFile: string;
  /** Who runs the server; required for root, forbidden to anybody else. */
  readonly user?: Owner | undefined;
  /** Group that may reach the socket; everybody may when absent, and then needs the password. */
  readonly socketGroup?: number | undefined;
  /** False for tests: a crash of the machine may lose data. */
  readonly durable?: boolean;
}

export interface DatabaseRequest {
  /** Owns the database and its tables; whoever migrates is this role. */
  readonly owner: string;
  /** Serves the control plane; owns nothing. */
  readonly role: string;
  readonly database: string;
  /** Receives the connection URL, mode 0600. */
  readonly urlFile: string;
  readonly urlFileOwner?: Owner | undefined;
}

const START_DEADLINE = 300_000;
const STOP_DEADLINE = 60_000;
const LOG_LIMIT = 8 * 1024 * 1024;
const PASSWORD_BYTES = 24;

/**
 * The platform's own PostgreSQL: one server on one data directory, on a unix socket only, in a session of its own so
 * that it outlives whoever started it. Every method may be repeated, also after a crash in the middle.
 */
export class EmbeddedPostgres {
  private socket = '';

  constructor(private readonly options: EmbeddedPostgresOptions) {}

  /** Makes sure that the server accepts connections. Says whether it had to be started. */
  async ensureRunning(): Promise<'started' | 'adopted'> {
    await this.makeDirectories();
    const { data } = this.options.directories;
    const running = await findPostmaster(data);
    if (running === undefined) {
      await this.initialise();
      await this.start();
      return 'started';
    }
    await this.waitUntilReady(() => undefined);
    return 'adopted';
  }

  /** Stops the server without losing anything. Says whether one was running. */
  async stop(): Promise<boolean> {
    const running = await findPostmaster(this.options.directories.data);
    if (running === undefined) return false;
    // Fast shutdown: ends the sessions, writes a checkpoint. The second is for a server that hangs in it.
    for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
      process.kill(running.pid, signal);
      if (!(await waitForExit(running.pid, STOP_DEADLINE))) continue;
      // A socket directory outside of HITHE_HOME must not stay behind.
      if (running.socketDirectory !== this.options.directories.run) await rm(running.socketDirectory, { recursive: true, force: true });
      return true;
    }
    throw new Error(`PostgreSQL (pid ${running.pid}) did not stop; see ${this.options.logFile}`);
  }

  /** Connection URL of the superuser. Only while the server runs. */
  async superuserUrl(database = 'postgres'): Promise<string> {
    const password = await readFile(this.passwordFile, 'utf8');
    return this.url('postgres', password.trim(), database);
  }

  /**
   * Makes the database, its owner and the role that serves, and keeps the connection URL of that role in `urlFile`. A URL that still
   * works is kept; one of another role, as older versions left it, is replaced.
   */
  async ensureDatabase(request: DatabaseRequest): Promise<string> {
    const known = await readFile(request.urlFile, 'utf8').catch(() => '');
    const [, role, kept] = /^postgresql:\/\/([^:]+):([0-9a-f]{32,})@/.exec(known) ?? [];
    const password = role === request.role && kept !== undefined ? kept : randomBytes(PASSWORD_BYTES).toString('hex');
    const url = this.url(request.role, password, request.database);
    await this.asSuperuser(async (client) => {
      await ensureRole(client, request.owner, 'NOLOGIN');
      await ensureRole(client, request.role, 'LOGIN');
      if (url !== known.trim() || !(await canConnect(url))) await setPassword(client, request.role, password);
      const database = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [request.database]);
      if (database.rowCount === 0)
        await client.query(`CREATE DATABASE ${pg.escapeIdentifier(request.database)} OWNER ${pg.escapeIdentifier(request.owner)}`);
    });
    await writePrivate(request.urlFile, `${url}\n`, request.urlFileOwner);
    return url;
  }

  /** Runs `work` with a connection URL of the owner. It is good until `work` ends: at all other times nobody can log in as the owner. */
  async asOwner<T>({ owner, database }: Pick<DatabaseRequest, 'owner' | 'database'>, work: (url: string) => Promise<T>): Promise<T> {
    const password = randomBytes(PASSWORD_BYTES).toString('hex');
    await this.asSuperuser(async (client) => {
      await setPassword(client, owner, password);
      await client.query(`ALTER ROLE ${pg.escapeIdentifier(owner)} LOGIN`);
    });
    try {
      return await work(this.url(owner, password, database));
    } finally {
      await this.asSuperuser((client) => ensureRole(client, owner, 'NOLOGIN'));
    }
  }

  private get passwordFile(): string {
    return join(this.options.directories.root, 'superuser-password');
  }

  private url(role: string, password: string, database: string): string {
    return `postgresql://${role}:${password}@${encodeURIComponent(this.socket)}/${database}`;
  }

  private async asSuperuser(work: (client: pg.Client) => Promise<void>): Promise<void> {
    const client = new pg.Client({ connectionString: await this.superuserUrl(), connectionTimeoutMillis: 10_000 });
    await client.connect();
    try {
      await work(client);
    } finally {
      await client.end();
    }
  }

  private async makeDirectories(): Promise<void> {
    const { directories, user, socketGroup } = this.options;
    if ((user === undefined) === (process.geteuid?.() === 0)) {
      throw new Error(
        user === undefined ? 'PostgreSQL refuses to run as root; name another user.' : 'Only root can start PostgreSQL as another user.',
      );
    }
    for (const directory of [directories.root, directories.server]) await mkdir(directory, { recursive: true, mode: 0o755 });
    this.socket = await socketDirectoryFor(directories.run);
    await mkdir(this.socket, { recursive: true });
    if (user !== undefined) await chown(this.socket, user.uid, socketGroup ?? user.gid);
    await chmod(this.socket, socketGroup === undefined ? 0o755 : 0o750);
  }

  private async initialise(): Promise<void> {
    const { directories, user } = this.options;
    if ((await majorOfData(directories.data)) !== undefined) return;
    const { directory } = await installServerFiles(directories.server);
    const password = randomBytes(PASSWORD_BYTES).toString('hex');
    await writePrivate(this.passwordFile, `${password}\n`);
    // Made aside and renamed, so that a data directory is always a whole one.
    const aside = `${directories.data}.new`;
    await rm(aside, { recursive: true, force: true });
    await mkdir(aside, { mode: 0o700 });
    if (user !== undefined) await chown(aside, user.uid, user.gid);
    const passwordFile = join(directories.root, '.initdb-password');
    await writePrivate(passwordFile, `${password}\n`, user);
    const flags = [
      '--username=postgres',
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
      '--locale-provider=builtin',
    ];
    const sync = this.options.durable === false ? ['--no-sync'] : [];
    await this.run(join(directory, 'bin/initdb'), [`--pgdata=${aside}`, ...flags, '--locale=C.UTF-8', ...sync]);
    await rm(passwordFile);
    // Fails, as it should, when the directory holds something that is not a database.
    await rename(aside, directories.data);
  }

  private async start(): Promise<void> {
    const { directories, logFile, durable = true, user } = this.options;
    const { directory } = await installServerFiles(directories.server, await majorOfData(directories.data));
    await removeStaleLock(directories.data);
    const settings = join(directories.data, 'hithe.conf');
    await writePrivate(settings, serverSettings(this.socket, durable), user);
    await rotate(logFile);
    const log = await open(logFile, 'a', 0o640);
    try {
      const [command, ...args] = this.asUser([join(directory, 'bin/postgres'), '-D', directories.data, '-c', `config_file=${settings}`]);
      const child = spawn(command, args, { cwd: '/', env: serverEnvironment, detached: true, stdio: ['ignore', log.fd, log.fd] });
      let failure: string | undefined;
      child.once('error', (error) => (failure = error.message));
      child.once('exit', (code, signal) => (failure = `it ended with ${signal ?? `exit code ${code ?? 'unknown'}`}`));
      child.unref();
      await this.waitUntilReady(() => failure);
    } finally {
      await log.close();
    }
  }

  private async waitUntilReady(failure: () => string | undefined): Promise<void> {
    const deadline = performance.now() + START_DEADLINE;
    for (;;) {
      const running = await findPostmaster(this.options.directories.data);
      if (running?.ready === true) {
        this.socket = running.socketDirectory;
        return;
      }
      const reason = failure() ?? (performance.now() > deadline ? `it was not ready after ${START_DEADLINE / 1000} s` : undefined);
      if (reason !== undefined) throw new Error(`PostgreSQL did not start: ${reason}.\n${await tail(this.options.logFile)}`);
      await delay(20);
    }
  }

  private asUser(command: [string, ...string[]]): [string, ...string[]] {
    const { user } = this.options;
    if (user === undefined) return command;
    return ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', '--no-new-privs', '--', ...command];
  }

  private async run(program: string, args: string[]): Promise<void> {
    const [command, ...rest] = this.asUser([program, ...args]);
    const child = spawn(command, rest, { cwd: '/', env: serverEnvironment, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
    if (code !== 0) throw new Error(`${program} failed with exit code ${code ?? 'unknown'}:\n${output.trim()}`);
  }
}

// Nothing of the launcher's environment may reach the server.
const serverEnvironment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' };

async function majorOfData(data: string): Promise<string | undefined> {
  try {
    return (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A role without powers, whatever it had before. */
async function ensureRole(client: pg.Client, name: string, login: 'LOGIN' | 'NOLOGIN'): Promise<void> {
  const role = pg.escapeIdentifier(name);
  const found = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [name]);
  if (found.rowCount === 0) await client.query(`CREATE ROLE ${role}`);
  await client.query(`ALTER ROLE ${role} ${login} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS`);
}

async function setPassword(client: pg.Client, role: string, password: string): Promise<void> {
  await client.query(`ALTER ROLE ${pg.escapeIdentifier(role)} PASSWORD ${pg.escapeLiteral(password)}`);
}

async function canConnect(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}

async function writePrivate(file: string, content: string, owner?: Owner): Promise<void> {
  const aside = join(await realpath(dirname(file)), `.${randomBytes(6).toString('hex')}.tmp`);
  await writeFile(aside, content, { mode: 0o600, flush: true });
  if (owner !== undefined) await chown(aside, owner.uid, owner.gid);
  await rename(aside, file);
}

async function rotate(file: string): Promise<void> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size > LOG_LIMIT) await rename(file, `${file}.1`);
}

async function tail(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-15).join('\n');
}
