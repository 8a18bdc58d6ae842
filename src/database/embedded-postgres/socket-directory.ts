import { createHash } from 'node:crypto';
import { lstat, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** `sun_path` holds 108 bytes with its final NUL. */
const LONGEST_SOCKET = 107;
const SOCKET_NAME = '.s.PGSQL.5432';

/**
 * The directory for the server's socket: `preferred`, or, when a socket's path there would be too long for the kernel,
 * a short one of ours in `/run` (root) or `/tmp`, which `preferred`'s file `moved-to` then names.
 */
export async function socketDirectoryFor(preferred: string): Promise<string> {
  if (Buffer.byteLength(join(preferred, SOCKET_NAME)) <= LONGEST_SOCKET) return preferred;
  const uid = process.geteuid?.() ?? 0;
  const short = join(uid === 0 ? '/run' : '/tmp', `hithe-${uid}-${createHash('sha256').update(preferred).digest('hex').slice(0, 12)}`);
  await mkdir(short, { recursive: true, mode: 0o755 });
  // In /tmp, another user may have made it first; in /run only root can.
  const found = await lstat(short);
  if (!found.isDirectory() || (uid !== 0 && found.uid !== uid)) {
    throw new Error(
      `${short} belongs to somebody else; choose a HITHE_HOME with a shorter path so that the database's socket fits inside it.`,
    );
  }
  await mkdir(preferred, { recursive: true });
  await writeFile(join(preferred, 'moved-to'), `${short}\n`);
  return short;
}
