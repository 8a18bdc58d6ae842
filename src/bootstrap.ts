import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { makeFirstRecords } from './bootstrap/first-records.js';
import { prepareDatabase } from './bootstrap/prepare-database.js';
import { asSystem } from './common/request-context.js';
import { loadConfig } from './config/config.js';
import { fail } from './common/fail.js';

/**
 * Prepares the database before the control plane starts: waits for it, migrates it as its owner, makes the first records. Prints one
 * line of JSON, a `BootstrapReport`, on standard output. Safe to repeat. `--renew-node` replaces a lost node credential.
 */
async function main(): Promise<void> {
  const config = loadConfig();
  // From here on as the role that the control plane serves with.
  config.databaseUrl = await prepareDatabase(config);
  // Not initialised: no worker, no listener, no schedule runs in this process.
  const app = await NestFactory.create(AppModule.with(config), { logger: ['error', 'warn'], abortOnError: false });
  const report = await asSystem('bootstrap', () => makeFirstRecords(app, config, { renewNode: process.argv.includes('--renew-node') }));
  await app.close();
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

main().catch(fail);
