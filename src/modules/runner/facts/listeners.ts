import { readlinkSync, readdirSync } from 'node:fs';
import { allPids, isGoneOrHidden, pidNamespaceOf, readIfThere } from '../support/proc.js';
import type { Listener } from '../../../link/messages.js';

/** A listening TCP socket as `/proc/net/tcp` and `tcp6` show it. */
export interface ListeningSocket {
  address: string;
  port: number;
  uid: number;
  inode: number;
}

const LISTEN = '0A';

/** All listening TCP sockets of the host's network. */
export function listeningSockets(): ListeningSocket[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => parseSocketTable(readIfThere(path) ?? ''));
}

/** Parses the kernel's table; rows that are not in state LISTEN are left out. */
export function parseSocketTable(text: string): ListeningSocket[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTEN)
    .map((fields) => {
      const [address = '', port = ''] = (fields[1] ?? '').split(':');
      return { address: parseAddress(address), port: Number.parseInt(port, 16), uid: Number(fields[7]), inode: Number(fields[9]) };
    });
}

/** The kernel prints addresses as 32-bit words in the machine's byte order, which is little-endian on all that Hithe runs on. */
function parseAddress(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).reverse().map((byte) => Number.parseInt(byte, 16)));
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

/** Which process holds each socket; as an ordinary user, only one's own are seen. */
function holders(inodes: ReadonlySet<number>): Map<number, number> {
  const found = new Map<number, number>();
  for (const pid of allPids()) {
    for (const inode of socketsOf(pid)) if (inodes.has(inode)) found.set(inode, pid);
    if (found.size === inodes.size) break;
  }
  return found;
}

function socketsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const inode = socketInode(`/proc/${pid}/fd/${fd}`);
      return inode === undefined ? [] : [inode];
    });
  } catch (error) {
    if (isGoneOrHidden(error)) return [];
    throw error;
  }
}

function socketInode(path: string): number | undefined {
  try {
    const match = /^socket:\[(\d+)\]$/.exec(readlinkSync(path));
    return match ? Number(match[1]) : undefined;
  } catch (error) {
    if (isGoneOrHidden(error)) return undefined;
    throw error;
  }
}

/** Who listens on this machine. `allocationByNamespace` maps the pid namespaces of our sandboxes to their allocations. */
export function listListeners(allocationByNamespace: ReadonlyMap<number, string>): Listener[] {
  const sockets = listeningSockets();
  const pids = holders(new Set(sockets.map(({ inode }) => inode)));
  return sockets.map(({ address, port, uid, inode }) => {
    const pid = pids.get(inode);
    if (pid === undefined) return { address, port, uid };
    const name = readIfThere(`/proc/${pid}/comm`)?.trim();
    const namespace = pidNamespaceOf(pid);
    const allocationId = namespace === undefined ? undefined : allocationByNamespace.get(namespace);
    return {
      address,
      port,
      uid,
      pid,
      ...(name === undefined ? {} : { process: name }),
      ...(allocationId === undefined ? {} : { allocationId }),
    };
  });
}
