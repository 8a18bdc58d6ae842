// Starts the PostgreSQL of a failed test run again, until Ctrl-C: `bin/with-node node test/support/open-kept.mjs DIRECTORY`
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { testServer } from './test-server.mjs';

const directory = process.argv[2];
if (directory === undefined) {
  console.error('usage: open-kept.mjs DIRECTORY');
  process.exit(2);
}
const server = await testServer(directory);
await server.ensureRunning();
console.log(`${await server.superuserUrl()}\n${await readFile(join(directory, 'kept'), 'utf8')}Ctrl-C stops it.`);
const alive = setInterval(() => {}, 60_000);
process.once('SIGINT', () => {
  clearInterval(alive);
  server.stop().catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
});
