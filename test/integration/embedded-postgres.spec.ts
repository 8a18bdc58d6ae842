import { spawn } from 'node:child_process';
import { mkdtemp, chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { EmbeddedPostgres } from '../../src/database/embedded-postgres/embedded-postgres.js';
import { findPostmaster, waitForExit } from '../../src/database/embedded-postgres/postmaster.js';
import { findUser } from '../../bin/lib/system-users.mjs';

describe('EmbeddedPostgres', () => {
  let home: string;
  let server: EmbeddedPostgres;

  beforeEach(async () => {
    home = await mkdtemp('/tmp/hithe-pg-');
    await chmod(home, 0o755);
    server = await serverIn(home);
  });

  afterEach(async () => {
    await server.stop();
    await rm(home, { recursive: true, force: true });
  });

  it('starts once, is adopted by the next caller, and stops', async () => {
    expect(await server.ensureRunning()).toBe('started');
    expect(await (await serverIn(home)).ensureRunning()).toBe('adopted');
    expect(await server.stop()).toBe(true);
    expect(await server.stop()).toBe(false);
  });

  it('keeps what was committed when it is killed, and starts again by itself', async () => {
    server = await serverIn(home, true);
    await server.ensureRunning();
    await query(await server.superuserUrl(), 'CREATE TABLE kept AS SELECT 42 AS answer');
    const running = await findPostmaster(join(home, 'pg/data'));
    process.kill(running?.pid ?? 0, 'SIGKILL');
    await waitForExit(running?.pid ?? 0, 10_000);
    expect(await server.ensureRunning()).toBe('started');
    expect(await query(await server.superuserUrl(), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('starts although the pid of its lock file belongs to another program by now', async () => {
    await server.ensureRunning();
    await server.stop();
    const other = spawn('sleep', ['60'], { cwd: '/' });
    try {
      const lock = [other.pid, join(home, 'pg/data'), 1, 5432, join(home, 'pg/run'), '', '', 'ready'].join('\n');
      await writeFile(join(home, 'pg/data/postmaster.pid'), lock, { mode: 0o600 });
      expect(await server.ensureRunning()).toBe('started');
    } finally {
      other.kill();
    }
  });

  it('gives the control plane a role on a database of somebody else, and mends a lost password', async () => {
    await server.ensureRunning();
    const request = { owner: 'hithe', role: 'hithe_app', database: 'hithe', urlFile: join(home, 'database-url') };
    const url = await server.ensureDatabase(request);
    expect(await query(url, 'SELECT current_user AS me')).toEqual([{ me: 'hithe_app' }]);
    expect(await server.ensureDatabase(request)).toBe(url);
    expect((await stat(request.urlFile)).mode & 0o777).toBe(0o600);

    await rm(request.urlFile);
    const renewed = await server.ensureDatabase(request);
    expect((await readFile(request.urlFile, 'utf8')).trim()).toBe(renewed);
    expect(await query(renewed, 'SELECT current_user AS me')).toEqual([{ me: 'hithe_app' }]);
  });

  it('replaces what an older version left: one role for everything, and its URL in the hands of the control plane', async () => {
    await server.ensureRunning();
    const superuser = await server.superuserUrl();
    const password = 'ab'.repeat(24);
    await query(superuser, `CREATE ROLE hithe LOGIN CREATEROLE PASSWORD '${password}'`);
    await query(superuser, 'CREATE DATABASE hithe OWNER hithe');
    const old = superuser.replace(/postgres:[^@]+@/, `hithe:${password}@`).replace(/\/postgres$/, '/hithe');
    await query(old, 'CREATE TABLE projects (id int)');
    const request = { owner: 'hithe', role: 'hithe_app', database: 'hithe', urlFile: join(home, 'database-url') };
    await writeFile(request.urlFile, `${old}\n`, { mode: 0o600 });

    const url = await server.ensureDatabase(request);
    expect(await readFile(request.urlFile, 'utf8')).not.toContain(password);
    await expect(query(url, 'DROP TABLE projects')).rejects.toThrow('must be owner of table projects');
    await expect(query(old, 'SELECT 1')).rejects.toThrow('is not permitted to log in');
    const ownerUrl = await server.asOwner(request, async (given) => {
      expect(await query(given, 'SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user')).toEqual([{ rolcreaterole: false }]);
      expect(await query(given, 'DROP TABLE projects')).toEqual([]);
      return given;
    });
    await expect(query(ownerUrl, 'SELECT 1')).rejects.toThrow('is not permitted to log in');
  });

  it('listens on no network port', async () => {
    await server.ensureRunning();
    expect(await query(await server.superuserUrl(), 'SHOW listen_addresses')).toEqual([{ listen_addresses: '' }]);
  });

  it('says in the error what the server said', async () => {
    await server.ensureRunning();
    await server.stop();
    await writeFile(join(home, 'pg/data/local.conf'), 'no_such_setting = 1\n');
    await expect(server.ensureRunning()).rejects.toThrow('no_such_setting');
  });

  it('moves its socket when the path is too long for the kernel', async () => {
    const deep = join(home, 'a-directory-with-a-rather-long-name'.repeat(3));
    const other = await serverIn(deep);
    await other.ensureRunning();
    try {
      expect(await query(await other.superuserUrl(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      expect(await readFile(join(deep, 'pg/run/moved-to'), 'utf8')).toMatch(/^\/(run|tmp)\/hithe-/);
    } finally {
      await other.stop();
    }
  });
});

async function serverIn(home: string, durable = false): Promise<EmbeddedPostgres> {
  const pgHome = join(home, 'pg');
  return new EmbeddedPostgres({
    directories: { root: pgHome, server: join(pgHome, 'server'), data: join(pgHome, 'data'), run: join(pgHome, 'run') },
    logFile: join(home, 'postgres.log'),
    user: process.geteuid?.() === 0 ? await findUser('hithe-pg') : undefined,
    durable,
  });
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
