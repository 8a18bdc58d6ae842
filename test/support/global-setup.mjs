import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureTestDirectories } from '../../bin/lib/test-directories.mjs';
import { testServer } from './test-server.mjs';

const PREFIX = 'hithe-test-';
const KEEP_FOR = 24 * 60 * 60 * 1_000;

/** Starts the one PostgreSQL of this test run; its address is in HITHE_TEST_DATABASE_URL. Makes the shared store and cache. */
export default async function globalSetup() {
  await removeOldRuns();
  await ensureTestDirectories();
  const directory = await mkdtemp(join(tmpdir(), PREFIX));
  await chmod(directory, 0o755);
  const server = await testServer(directory);
  await server.ensureRunning();
  process.env.HITHE_TEST_DIRECTORY = directory;
  process.env.HITHE_TEST_DATABASE_URL = await server.superuserUrl();
  globalThis.hitheTestServer = server;
}

/** Databases of failed runs are kept for a day. */
async function removeOldRuns() {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(tmpdir(), name);
    const found = await stat(path).catch(() => undefined);
    if (found?.uid === process.geteuid() && Date.now() - found.mtimeMs > KEEP_FOR) await rm(path, { recursive: true, force: true });
  }
}
