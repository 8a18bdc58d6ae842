import { homedir } from 'node:os';
import { join } from 'node:path';
import { ensureDirectory } from './home.mjs';
import { ensureSystemUser } from './system-users.mjs';

/** Where tests keep installed software and downloads from one run to the next: HITHE_STORE and HITHE_CACHE unless they are set. */
export function testDirectories(environment = process.env) {
  const base = process.geteuid() === 0 ? '/var/cache/hithe-test' : join(homedir(), '.cache/hithe-test');
  return { HITHE_STORE: environment.HITHE_STORE || join(base, 'store'), HITHE_CACHE: environment.HITHE_CACHE || join(base, 'cache') };
}

/** Makes them, for the uid that builds the store, and the system users that tests run processes as. */
export async function ensureTestDirectories() {
  const root = process.geteuid() === 0;
  if (root) for (const name of ['hithe', 'hithe-pg', 'hithe-log']) await ensureSystemUser(name);
  const owner = root ? await ensureSystemUser('hithe-store') : { uid: process.geteuid(), gid: process.getegid() };
  for (const path of Object.values(testDirectories())) await ensureDirectory(path, owner, 0o755);
}
