import { type DynamicModule, Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Config } from '../config/config.js';
import { dataSourceOptions } from './data-source.js';
import { Notifications } from './notifications.js';
import { TransactionRunner } from './transaction-runner.js';

/** An address that is never dialled, for documents that are generated without a database. */
const NO_DATABASE = 'postgresql://nobody@127.0.0.1:1/none';

/**
 * The connection pool, transactions and notifications. A module adds its entities with
 * `TypeOrmModule.forFeature([…])`. With `connect: false` nothing is dialled.
 */
@Global()
@Module({})
export class DatabaseModule {
  static forRoot(options: { connect: boolean }): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          inject: [Config],
          useFactory: (config: Config) => ({
            ...dataSourceOptions({ url: options.connect ? config.requireDatabaseUrl() : NO_DATABASE, pool: config.databasePool }),
            autoLoadEntities: true,
            manualInitialization: !options.connect,
            retryAttempts: 0,
          }),
        }),
      ],
      providers: [TransactionRunner, Notifications],
      exports: [TransactionRunner, Notifications],
    };
  }
}
