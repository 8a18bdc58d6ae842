import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { prepareDatabase } from '../../src/bootstrap/prepare-database.js';
import { type Config, loadConfig } from '../../src/config/config.js';
import { createEmptyTestDatabase, superuserUrl, type TestDatabase } from '../support/database.js';

/** A PostgreSQL of the operator's own: what the bootstrap makes of the URLs that it is given. */
describe('preparing a database', () => {
  let database: TestDatabase;
  let home: string;
  const made: string[] = [];

  beforeEach(async () => {
    database = await createEmptyTestDatabase();
    home = await mkdtemp(join(tmpdir(), 'hithe-prepare-'));
    await mkdir(dirname(configOf({}).paths.control.databaseUrl), { recursive: true });
  });

  afterEach(async () => {
    await rm(home, { recursive: true });
    for (const role of made.splice(0)) await asSuperuser(`DROP OWNED BY ${role}`, `DROP ROLE ${role}`);
  });

  const configOf = (environment: Record<string, string>): Config => loadConfig({ HITHE_HOME: home, ...environment });

  async function asSuperuser(...statements: string[]): Promise<Record<string, unknown>[]> {
    return query(superuserUrl(database.name), ...statements);
  }

  /** A role that owns this database, as an operator makes one for Hithe. */
  async function owner(rights: string): Promise<string> {
    const name = `${database.name}_owner`;
    await asSuperuser(`CREATE ROLE ${name} LOGIN ${rights} PASSWORD 'secret'`, `ALTER DATABASE ${database.name} OWNER TO ${name}`);
    return urlAs(name);
  }

  function urlAs(role: string): string {
    const url = new URL(superuserUrl(database.name));
    url.username = role;
    url.password = 'secret';
    return url.href;
  }

  const roleOf = async (url: string) =>
    (await query(url, 'SELECT current_user AS role, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user'))[0];

  it('creates a role of its own when the one URL may, keeps its URL, and uses it again', async () => {
    const url = await owner('CREATEROLE');
    const served = await prepareDatabase(configOf({ HITHE_DATABASE_URL: url }));
    const role = await roleOf(served);
    expect(role).toMatchObject({ role: expect.stringMatching(/^hithe_app_\d+$/), rolsuper: false, rolcreaterole: false });
    made.push(String(role?.['role']));
    const file = configOf({}).paths.control.databaseUrl;
    expect((await readFile(file, 'utf8')).trim()).toBe(served);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await prepareDatabase(configOf({ HITHE_DATABASE_OWNER_URL: url }))).toBe(served);
    await expect(query(served, 'DROP TABLE projects')).rejects.toThrow('must be owner');
    expect(await query(served, 'SELECT count(*)::int AS users FROM users')).toEqual([{ users: 0 }]);
  });

  it('gives that role a new password when the stored one is lost or leads elsewhere', async () => {
    const url = await owner('CREATEROLE');
    const first = await prepareDatabase(configOf({ HITHE_DATABASE_OWNER_URL: url }));
    made.push(String((await roleOf(first))?.['role']));
    const file = configOf({}).paths.control.databaseUrl;
    await rm(file);
    const second = await prepareDatabase(configOf({ HITHE_DATABASE_OWNER_URL: url }));
    expect(second).not.toBe(first);
    await expect(query(first, 'SELECT 1')).rejects.toThrow('password authentication failed');
    const elsewhere = await createEmptyTestDatabase();
    await writeFile(file, elsewhere.ownerUrl);
    const third = await prepareDatabase(configOf({ HITHE_DATABASE_OWNER_URL: url }));
    expect(new URL(third).pathname).toBe(`/${database.name}`);
  });

  it('serves with the role of HITHE_DATABASE_URL when there are two URLs', async () => {
    const url = await owner('');
    const app = `${database.name}_app`;
    await asSuperuser(`CREATE ROLE ${app} LOGIN PASSWORD 'secret'`);
    made.push(app);
    const given = { HITHE_DATABASE_URL: urlAs(app), HITHE_DATABASE_OWNER_URL: url };
    expect(await prepareDatabase(configOf(given))).toBe(urlAs(app));
    expect(await query(urlAs(app), 'SELECT count(*)::int AS users FROM users')).toEqual([{ users: 0 }]);
    expect(await prepareDatabase(configOf(given))).toBe(urlAs(app));
  });

  it('says what to run when neither is possible', async () => {
    const url = await owner('');
    await expect(prepareDatabase(configOf({ HITHE_DATABASE_URL: url }))).rejects.toMatchObject({
      code: 'DATABASE_ROLE_MISSING',
      fix: expect.stringMatching(/CREATE ROLE hithe_app_\d+ LOGIN PASSWORD/),
    });
  });

  it('refuses a second URL that does not work, is the same role, or leads to another database', async () => {
    const url = await owner('');
    const given = (serving: string) => prepareDatabase(configOf({ HITHE_DATABASE_URL: serving, HITHE_DATABASE_OWNER_URL: url }));
    await expect(given(urlAs('nobody'))).rejects.toMatchObject({ code: 'DATABASE_URL_UNUSABLE' });
    await expect(given(`${url}?application_name=other`)).rejects.toThrow('it is the role of HITHE_DATABASE_OWNER_URL');
    await expect(given((await createEmptyTestDatabase()).ownerUrl)).rejects.toThrow('another database');
    await expect(given(superuserUrl(database.name))).rejects.toMatchObject({ code: 'DATABASE_ROLE_TOO_STRONG' });
  });
});

async function query(url: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) rows = (await client.query<Record<string, unknown>>(statement)).rows;
    return rows;
  } finally {
    await client.end();
  }
}
