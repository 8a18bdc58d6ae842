import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { makeFirstRecords } from './bootstrap/first-records.js';
import { migrate } from './bootstrap/migrate.js';
import { loadConfig } from './config/config.js';
import { fail } from './common/fail.js';

/**
 * Prepares the database before the control plane starts: waits for it, migrates it, makes the first records. Prints one
 * line of JSON, a `BootstrapReport`, on standard output. Safe to repeat. `--renew-node` replaces a lost node credential.
 */
async function main(): Promise<void> {
  const config = loadConfig();
  await migrate(config.requireDatabaseUrl());
  // Not initialised: no worker, no listener, no schedule runs in this process.
  const app = await NestFactory.create(AppModule.with(config), { logger: ['error', 'warn'], abortOnError: false });
  const report = await makeFirstRecords(app, config, { renewNode: process.argv.includes('--renew-node') });
  await app.close();
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

main().catch(fail);
