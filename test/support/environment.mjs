import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TestEnvironment } from 'jest-environment-node';
import pg from 'pg';

/** Where jest-circus looks for what `jest.setTimeout` has set. */
const TEST_TIMEOUT = Symbol.for('TEST_TIMEOUT_SYMBOL');

/** Node's environment with the project's timeout; drops a test file's databases at its end, and keeps them when one of its tests failed. */
export default class HitheEnvironment extends TestEnvironment {
  failed = false;

  constructor(config, context) {
    super(config, context);
    this.file = context.testPath;
    this.global.hitheTestDatabases = new Set();
    this.global[TEST_TIMEOUT] = config.projectConfig.testEnvironmentOptions.timeout;
  }

  handleTestEvent(event) {
    if (event.name === 'test_done' && event.test.errors.length > 0) this.failed = true;
    if (event.name === 'hook_failure') this.failed = true;
  }

  async teardown() {
    const databases = [...(this.global.hitheTestDatabases ?? [])];
    if (databases.length > 0) await (this.failed ? this.keep(databases) : drop(databases));
    await super.teardown();
  }

  async keep(databases) {
    await appendFile(join(process.env.HITHE_TEST_DIRECTORY, 'kept'), databases.map((name) => `${name}  (${this.file})\n`).join(''));
  }
}

async function drop(databases) {
  const client = new pg.Client({ connectionString: process.env.HITHE_TEST_DATABASE_URL });
  await client.connect();
  try {
    for (const name of databases) await client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
  } finally {
    await client.end();
  }
}
