import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Uid and gid of a system user, which is made when it does not exist. Only for root. */
export async function ensureSystemUser(name) {
  const found = await findUser(name);
  if (found !== undefined) return found;
  try {
    await run('useradd', [
      '--system',
      '--user-group',
      '--no-create-home',
      '--home-dir',
      '/nonexistent',
      '--shell',
      '/usr/sbin/nologin',
      name,
    ]);
  } catch (error) {
    // Another process may have made it at the same moment.
    const made = await findUser(name);
    if (made === undefined) throw new Error(`could not create the system user ${name}: ${error.stderr || error.message}`, { cause: error });
    return made;
  }
  const made = await findUser(name);
  if (made === undefined) throw new Error(`useradd made ${name}, but /etc/passwd does not list it`);
  return made;
}

/** Uid and gid of a user of this machine, or undefined. */
export async function findUser(name) {
  for (const line of (await readFile('/etc/passwd', 'utf8')).split('\n')) {
    const [user, , uid, gid] = line.split(':');
    if (user === name) return { uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}
