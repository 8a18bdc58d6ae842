import { DataSource, type DataSourceOptions } from 'typeorm';
import { migrations } from '../../migrations/index.js';
import { ContextualClient } from './contextual-client.js';
import { HitheNamingStrategy } from './naming.strategy.js';

export interface DatabaseOptions {
  url: string;
  /** Most connections in the pool. */
  pool: number;
}

/** Options of every data source of Hithe. The schema comes from migrations alone, never from `synchronize`. */
export function dataSourceOptions(options: DatabaseOptions): DataSourceOptions {
  return {
    type: 'postgres',
    url: options.url,
    poolSize: options.pool,
    applicationName: 'hithe',
    namingStrategy: new HitheNamingStrategy(),
    synchronize: false,
    migrationsRun: false,
    migrations: [...migrations],
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    installExtensions: false,
    logging: false,
    extra: { Client: ContextualClient },
  };
}

/**
 * A data source without entities, for migrations. They reach all rows: row-level security holds for the owner of the tables
 * too. The caller initialises and destroys it.
 */
export function migrationDataSource(url: string): DataSource {
  return new DataSource({ ...dataSourceOptions({ url, pool: 2 }), extra: { options: '-c hithe.teams=all' } });
}
