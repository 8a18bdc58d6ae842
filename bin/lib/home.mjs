import { chmod, chown, lstat, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Failure } from './failure.mjs';
import { ensureSystemUser } from './system-users.mjs';

/** `HITHE_HOME`, absolute. The same rule as src/config/home.ts, needed before that is compiled. */
export function homeDirectory() {
  if (process.env.HITHE_HOME) return resolve(process.env.HITHE_HOME);
  return process.geteuid() === 0 ? '/var/lib/hithe' : join(homedir(), '.local/share/hithe');
}

/**
 * Who runs what. Root gives each part a system user of its own; without root, all are the caller.
 */
export async function ensureUsers() {
  if (process.geteuid() !== 0) {
    const self = { uid: process.geteuid(), gid: process.getegid() };
    return { root: false, self, controlPlane: self, database: self, store: self, log: self };
  }
  return {
    root: true,
    self: { uid: 0, gid: 0 },
    controlPlane: await ensureSystemUser('hithe'),
    database: await ensureSystemUser('hithe-pg'),
    store: await ensureSystemUser('hithe-store'),
    log: await ensureSystemUser('hithe-log'),
  };
}

/** Makes the home's directories with their owners and modes; see docs/operations.md. Repeats itself harmlessly. */
export async function ensureHome(paths, users) {
  await ensureDirectory(paths.home, users.self, users.root ? 0o755 : 0o700);
  await keepMode(paths.home, users.root ? 'root' : 'rootless');
  if (users.root) await assertPassable(paths.home);
  await ensureDirectory(paths.app, users.self, 0o755);
  await ensureDirectory(paths.pg.root, users.self, 0o755);
  await ensureDirectory(paths.control.root, users.controlPlane, 0o700);
  await ensureDirectory(paths.control.secrets, users.controlPlane, 0o700);
  await ensureDirectory(paths.agent.root, users.self, 0o700);
  await ensureDirectory(paths.store, users.store, 0o755);
  await ensureDirectory(paths.cache, users.store, 0o755);
  await ensureDirectory(paths.tenants, users.self, 0o711);
  await ensureDirectory(paths.logs.root, users.self, 0o755);
  await ensureDirectory(paths.run, users.self, 0o700);
}

/** The directory with this owner and mode. Only a directory that is ours already, or new, is touched. */
export async function ensureDirectory(path, owner, mode) {
  await mkdir(path, { recursive: true });
  const found = await lstat(path);
  if (!found.isDirectory()) throw new Failure(`${path} is not a directory`, 'Move it away, or choose another HITHE_HOME.');
  if (found.uid !== owner.uid || found.gid !== owner.gid) {
    if (process.geteuid() !== 0) throw new Failure(`${path} belongs to another user`, 'Choose a HITHE_HOME of your own.');
    await chown(path, owner.uid, owner.gid);
  }
  if ((found.mode & 0o7777) !== mode) await chmod(path, mode);
}

/** A home made by root cannot be run by an ordinary user later, nor the other way round: the owners differ. */
async function keepMode(home, mode) {
  const file = join(home, 'mode');
  const made = await readFile(file, 'utf8').catch(() => '');
  if (made === '') return writeFile(file, `${mode}\n`);
  if (made.trim() === mode) return undefined;
  throw new Failure(
    `${home} was made ${made.trim() === 'root' ? 'by root' : 'without root'}`,
    'Run npm start as the same user as before, or choose another HITHE_HOME.',
  );
}

/** The platform's own users must be able to reach what is theirs. */
async function assertPassable(home) {
  for (let path = dirname(home); path !== '/'; path = dirname(path)) {
    const { mode } = await stat(path);
    if ((mode & 0o001) === 0) {
      throw new Failure(
        `${path} may be entered by its owner only, so the platform's own users cannot reach ${home}`,
        `Choose another HITHE_HOME, or run: chmod o+x ${path}`,
      );
    }
  }
}
