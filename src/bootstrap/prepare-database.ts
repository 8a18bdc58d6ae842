import { randomBytes } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { DomainError } from '../common/domain-error.js';
import { messageOf } from '../common/thrown.js';
import type { Config } from '../config/config.js';
import { assertServingRole } from '../database/serving-role.js';
import { createAppRole, grantToAppRole } from './app-role.js';
import { bringUpToDate, withSchemaLock } from './migrate.js';

/** Where a URL leads, and as whom; the same for two URLs of one database, whatever they say. */
interface Reached {
  role: string;
  database: string;
}

const REACHED = `SELECT current_user AS role, oid || ' since ' || pg_postmaster_start_time() AS database FROM pg_database WHERE datname = current_database()`;

/**
 * As the owner of the tables: waits for the database, migrates it, and sees to a role that owns nothing for the control plane
 * to serve with. Returns that role's URL. One that Hithe creates is kept in `control/secrets/database-url`. Safe to repeat.
 */
export function prepareDatabase(config: Config): Promise<string> {
  const ownerUrl = config.databaseOwnerUrl ?? config.requireDatabaseUrl();
  return withSchemaLock(ownerUrl, undefined, async (owner) => {
    await bringUpToDate(owner, ownerUrl);
    const file = config.paths.control.databaseUrl;
    const known = await servingUrlOf(owner, config, ownerUrl);
    const url = known ?? (await createAppRole(owner, ownerUrl));
    if (known === undefined) await keep(file, url);
    const serving = await reached(url);
    await grantToAppRole(owner, serving.role);
    await assertServingRole(url, file);
    return url;
  });
}

/** The URL that is there for serving: a given one must work; a stored one is used if it still leads to this database. */
async function servingUrlOf(owner: DataSource, config: Config, ownerUrl: string): Promise<string | undefined> {
  if (config.databaseUrl === '' || config.databaseUrl === ownerUrl) return undefined;
  const [own] = await owner.query<Reached[]>(REACHED);
  const found = await reached(config.databaseUrl).catch((error: unknown) => {
    if (config.databaseUrlIsGiven) throw unusable(messageOf(error), error);
    return undefined;
  });
  if (found !== undefined && found.database === own?.database && found.role !== own.role) return config.databaseUrl;
  if (!config.databaseUrlIsGiven) return undefined;
  if (found?.role === own?.role) throw unusable(`it is the role of HITHE_DATABASE_OWNER_URL, "${found?.role ?? ''}"`);
  throw unusable('it leads to another database than HITHE_DATABASE_OWNER_URL');
}

async function reached(url: string): Promise<Reached> {
  const client = new Client({ connectionString: url, application_name: 'hithe-bootstrap', connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    const [row] = (await client.query<Reached>(REACHED)).rows;
    if (row === undefined) throw new TypeError('The database does not know its own name');
    return row;
  } finally {
    await client.end();
  }
}

async function keep(file: string, url: string): Promise<void> {
  const aside = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  await writeFile(aside, `${url}\n`, { mode: 0o600, flush: true });
  await rename(aside, file);
}

function unusable(reason: string, cause?: unknown): DomainError {
  return new DomainError('invalid', 'DATABASE_URL_UNUSABLE', `HITHE_DATABASE_URL cannot be used: ${reason}.`, {
    fix: 'Name another role on the same database in it, or leave it out: Hithe then creates one if the owner may.',
    ...(cause === undefined ? {} : { cause }),
  });
}
