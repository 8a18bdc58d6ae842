import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { migrations } from '../../migrations/index.js';
import { migrate } from '../../src/bootstrap/migrate.js';
import { migrationDataSource } from '../../src/database/data-source.js';
import { TestApplication } from '../support/application.js';
import { createEmptyTestDatabase } from '../support/database.js';

async function tablesOf(dataSource: DataSource): Promise<string[]> {
  const rows = await dataSource.query<{ name: string }[]>(
    `SELECT format('%s %s', c.relkind, c.relname) AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'S', 'i') ORDER BY 1`,
  );
  return rows.map((row) => row.name).filter((name) => !name.includes('migrations'));
}

describe('migrations', () => {
  let dataSource: DataSource;

  beforeAll(async () => {
    const database = await createEmptyTestDatabase();
    dataSource = await migrationDataSource(database.ownerUrl).initialize();
  });

  afterAll(async () => {
    await dataSource.destroy();
  });

  it('go up, down to nothing, and up to the same schema again', async () => {
    await dataSource.runMigrations();
    const up = await tablesOf(dataSource);
    for (let left = migrations.length; left > 0; left -= 1) await dataSource.undoLastMigration();
    expect(await tablesOf(dataSource)).toEqual([]);
    await dataSource.runMigrations();
    expect(await tablesOf(dataSource)).toEqual(up);
    expect(up.length).toBeGreaterThan(10);
  });

  it('are all in the list, in the order of their names', async () => {
    const files = (await readdir(join(import.meta.dirname, '../../migrations'))).filter((file) => /^\d+-.*\.ts$/.test(file)).sort();
    const stamps = files.map((file) => file.split('-', 1)[0]);
    expect(migrations.map((migration) => /\d+$/.exec(migration.name)?.[0])).toEqual(stamps);
  });
});

describe('migrate', () => {
  it('is safe to run by several processes at once', async () => {
    const database = await createEmptyTestDatabase();
    const runs = await Promise.all([migrate(database.ownerUrl), migrate(database.ownerUrl), migrate(database.ownerUrl)]);
    expect(runs.flat()).toHaveLength(migrations.length);
  });

  it('says which variable to look at when there is no database', async () => {
    await expect(migrate('postgresql://nobody@127.0.0.1:1/none', 1)).rejects.toMatchObject({
      code: 'DATABASE_UNREACHABLE',
      fix: expect.stringContaining('HITHE_DATABASE_URL'),
    });
  });
});

describe('entities', () => {
  it('describe exactly the schema that the migrations make', async () => {
    const application = await TestApplication.start();
    try {
      const drift = await application.app.get(DataSource).driver.createSchemaBuilder().log();
      expect(drift.upQueries.map((query) => query.query)).toEqual([]);
    } finally {
      await application.stop();
    }
  });
});
