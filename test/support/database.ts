import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { grantToAppRole } from '../../src/bootstrap/app-role.js';
import { bringUpToDate, withSchemaLock } from '../../src/bootstrap/migrate.js';

/** A database that one test file has to itself. */
export interface TestDatabase {
  readonly name: string;
  /** As the control plane serves: a role that owns nothing. */
  readonly url: string;
  /** As migrations run: the owner of the tables. */
  readonly ownerUrl: string;
}

// Any number will do, as long as all test files use the same.
const TEMPLATE_LOCK = 4_201_007;
const OWNER = 'hithe_test';
const APP = 'hithe_test_app';

/**
 * A new database with all migrations applied, cloned from a template that the first caller of a test run makes. At the
 * end of the test file it is dropped, or kept when a test failed.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const template = await migratedTemplate();
  return create(template);
}

/** A new database without any table, for the tests of migrations. */
export async function createEmptyTestDatabase(): Promise<TestDatabase> {
  await asSuperuser((client) => ensureRoles(client));
  return create('template0');
}

async function create(template: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asSuperuser((client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${template} OWNER ${OWNER}`));
  registry().add(name);
  return { name, url: urlOf(name, APP), ownerUrl: urlOf(name, OWNER) };
}

async function migratedTemplate(): Promise<string> {
  const name = `template_${await digestOfMigrations()}`;
  await asSuperuser(async (client) => {
    await client.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (found.rowCount !== 0) return;
    await ensureRoles(client);
    const aside = `${name}_new`;
    await client.query(`DROP DATABASE IF EXISTS ${aside}`);
    await client.query(`CREATE DATABASE ${aside} OWNER ${OWNER}`);
    const ownerUrl = urlOf(aside, OWNER);
    await withSchemaLock(ownerUrl, undefined, async (owner) => {
      await bringUpToDate(owner, ownerUrl);
      await grantToAppRole(owner, APP);
    });
    await client.query(`ALTER DATABASE ${aside} RENAME TO ${name}`);
  });
  return name;
}

async function ensureRoles(client: pg.Client): Promise<void> {
  await client.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
  const { rows } = await client.query<{ name: string }>('SELECT rolname AS name FROM pg_roles WHERE rolname = ANY ($1)', [[OWNER, APP]]);
  const missing = [OWNER, APP].filter((role) => !rows.some(({ name }) => name === role));
  for (const role of missing) await client.query(`CREATE ROLE ${role} LOGIN PASSWORD '${role}'`);
}

async function digestOfMigrations(): Promise<string> {
  const directory = join(import.meta.dirname, '../../migrations');
  const digest = createHash('sha256');
  for (const file of (await readdir(directory, { recursive: true })).filter((name) => name.endsWith('.ts')).sort())
    digest.update(file).update(await readFile(join(directory, file)));
  return digest.digest('hex').slice(0, 12);
}

async function asSuperuser<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: serverUrl() });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function urlOf(database: string, role: string): string {
  const url = new URL(serverUrl());
  url.username = role;
  url.password = role;
  url.pathname = `/${database}`;
  return url.href;
}

/** The same database as somebody whom no grant and no row-level security stops. */
export function superuserUrl(database: string): string {
  const url = new URL(serverUrl());
  url.pathname = `/${database}`;
  return url.href;
}

function serverUrl(): string {
  const url = process.env['HITHE_TEST_DATABASE_URL'];
  if (url === undefined) throw new Error('No test database server: this project of jest.config.js lacks the global set-up');
  return url;
}

/** Read by environment.mjs, which drops what is in it. */
function registry(): Set<string> {
  const databases: unknown = Reflect.get(globalThis, 'hitheTestDatabases');
  if (databases === undefined) throw new Error('Not inside the test environment of test/support/environment.mjs');
  return databases as Set<string>;
}
