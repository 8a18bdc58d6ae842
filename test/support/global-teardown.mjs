import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Stops the PostgreSQL of this test run. Its files stay when a failed test left databases to look at. */
export default async function globalTeardown() {
  const directory = process.env.HITHE_TEST_DIRECTORY;
  await globalThis.hitheTestServer.stop();
  const kept = await readFile(join(directory, 'kept'), 'utf8').catch(() => '');
  if (kept === '') {
    await rm(directory, { recursive: true, force: true });
    return;
  }
  console.error(
    `\nDatabases of failed test files are kept for a day; open them with: bin/with-node node test/support/open-kept.mjs ${directory}\n${kept}`,
  );
}
