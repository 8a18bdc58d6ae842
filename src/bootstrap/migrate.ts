import { setTimeout as delay } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { DomainError } from '../common/domain-error.js';
import { codeOf, messageOf } from '../common/thrown.js';
import { migrationDataSource } from '../database/data-source.js';
import { sqlState } from '../database/transaction-runner.js';
import { migrateQueue } from '../queue/queue-schema.js';

/** Any number will do, as long as all versions of Hithe use the same. */
const MIGRATION_LOCK = 7_070_001;
const LONGEST_WAIT_MS = 60_000;
const RETRY_MS = 250;
const CANNOT_CONNECT_NOW = '57P03';
const NETWORK_ERRORS = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'ETIMEDOUT', 'EAI_AGAIN', 'ENOTFOUND']);

/**
 * Waits until the database answers, at most `patience` milliseconds, and brings its schema up to date, that of the job queue
 * included. One process at a time migrates; the others wait and then find nothing to do. Returns the names of the migrations that
 * ran.
 */
export function migrate(ownerUrl: string, patience?: number): Promise<string[]> {
  return withSchemaLock(ownerUrl, patience, (dataSource) => bringUpToDate(dataSource, ownerUrl));
}

/** What `migrate` does, for who holds the lock. */
export async function bringUpToDate(dataSource: DataSource, ownerUrl: string): Promise<string[]> {
  const ran = await dataSource.runMigrations();
  await migrateQueue(ownerUrl);
  return ran.map((migration) => migration.name);
}

/** Runs `work` on the owner's connections while no other process may change the schema. */
export async function withSchemaLock<T>(
  ownerUrl: string,
  patience = LONGEST_WAIT_MS,
  work: (dataSource: DataSource) => Promise<T>,
): Promise<T> {
  const dataSource = migrationDataSource(ownerUrl);
  await connect(() => dataSource.initialize(), patience);
  const lock = dataSource.createQueryRunner();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    return await work(dataSource);
  } finally {
    await lock.release();
    await dataSource.destroy();
  }
}

async function connect(initialize: () => Promise<unknown>, patience: number): Promise<void> {
  const deadline = Date.now() + patience;
  for (;;) {
    try {
      await initialize();
      return;
    } catch (error) {
      if (!mayPass(error)) throw error;
      if (Date.now() > deadline) {
        throw new DomainError(
          'unavailable',
          'DATABASE_UNREACHABLE',
          `The database did not answer within ${patience / 1000} s: ${messageOf(error)}`,
          {
            fix: 'Check HITHE_DATABASE_OWNER_URL and HITHE_DATABASE_URL, and that PostgreSQL runs.',
            cause: error,
          },
        );
      }
    }
    await delay(RETRY_MS);
  }
}

function mayPass(error: unknown): boolean {
  if (sqlState(error) === CANNOT_CONNECT_NOW) return true;
  return NETWORK_ERRORS.has(codeOf(error) ?? '');
}
