import { randomInt } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { writePrivately } from './private-file.mjs';

// Without characters that look alike.
const ALPHABET = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/**
 * Migrates, makes the first administrator and this machine's node, and keeps what the bootstrap tells only once. The
 * password is on disk before it is in the database, so that a crash between the two does not lose it.
 */
export async function makeFirstRecords({ platform, paths, settings, database }) {
  const kept = await readJson(paths.initialAdmin);
  const known = await readJson(paths.agent.node);
  // The control plane of this very build runs on this database: there is nothing to migrate.
  if (known !== undefined && platform.controlPlane.isCurrent()) return { admin: kept, outcome: 'up to date' };
  const admin = kept ?? {
    email: process.env.HITHE_ADMIN_EMAIL || 'admin@hithe.local',
    password: process.env.HITHE_ADMIN_PASSWORD || newPassword(),
  };
  if (kept === undefined) await writePrivately(paths.initialAdmin, admin);
  const bootstrap = (ownerUrl) =>
    platform.bootstrap({
      arguments: known === undefined ? ['--renew-node'] : [],
      environment: { HITHE_ADMIN_EMAIL: admin.email, HITHE_ADMIN_PASSWORD: admin.password },
      ownerUrl,
    });
  const report = await (database === undefined
    ? bootstrap(settings.databaseOwnerUrl ?? settings.databaseUrl)
    : database.asOwner(bootstrap));
  const node = report.node === undefined ? known : { nodeId: report.node.id, credential: report.node.credential };
  await writePrivately(paths.agent.node, { ...node, serverUrl: settings.url });
  // A database that had an administrator before this home was made: we do not know the password.
  const isOurs = kept !== undefined || report.admin !== undefined;
  if (!isOurs) await rm(paths.initialAdmin);
  return { admin: isOurs ? admin : undefined, adminIsNew: report.admin !== undefined };
}

function newPassword() {
  const group = () => Array.from({ length: 5 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return Array.from({ length: 5 }, group).join('-');
}

async function readJson(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}
