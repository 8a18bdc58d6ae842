import { readdir, readFile, readlink } from 'node:fs/promises';
import { createServer } from 'node:net';

/** Whether this process could listen there. */
export async function isFree(address, port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Who listens on a TCP port of this machine, as far as the kernel tells this user: `{pid, description}`. */
export async function whoListens(port) {
  const sockets = (await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map(listening))).flat().filter((socket) => socket.port === port);
  const [socket] = sockets;
  if (socket === undefined) return { pid: undefined, description: 'somebody who has just gone' };
  const pid = await ownerOf(new Set(sockets.map((found) => `socket:[${found.inode}]`)));
  if (pid === undefined) return { pid, description: `a process of uid ${socket.uid}` };
  const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
  return { pid, description: `${words.slice(0, 3).join(' ').trim().slice(0, 80) || 'a process'} (pid ${pid}, uid ${socket.uid})` };
}

async function listening(file) {
  const text = await readFile(file, 'utf8').catch(() => '');
  const rows = text.trim().split('\n').slice(1);
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((field) => field[3] === '0A')
    .map((field) => ({ port: Number.parseInt(field[1].split(':').at(-1), 16), uid: Number(field[7]), inode: field[9] }));
}

async function ownerOf(links) {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // Processes of others, and those that end meanwhile, cannot be read.
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const link = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      if (links.has(link)) return Number(pid);
    }
  }
  return undefined;
}
