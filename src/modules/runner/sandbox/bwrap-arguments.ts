import { existsSync, readFileSync, readdirSync, readlinkSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { DescriptorTable } from './descriptors.js';
import type { SandboxSpec, SandboxSystem } from './sandbox.types.js';

const MIB = 1024 * 1024;
/** Sizes of the memory-backed file systems, bytes. */
export const TMPFS_SIZES = { shm: 256 * MIB, tmp: 1024 * MIB, run: 16 * MIB } as const;

/** Files of the host that name resolution, time and TLS need. */
const HOST_ETC = ['/etc/resolv.conf', '/etc/nsswitch.conf', '/etc/localtime', '/etc/ssl/certs', '/etc/pki'];
/** What the sandbox makes itself, so that a closure's own `/etc` must not bring it. */
const OWN_ETC = new Set(['passwd', 'group', 'hosts', 'resolv.conf', 'nsswitch.conf', 'localtime', 'ssl', 'pki', 'shadow', 'gshadow']);

/** What differs between a script and a service. Numbers are the child's descriptors. */
export interface BwrapLife {
  /** One-off scripts die with the agent; services do not. */
  dieWithParent: boolean;
  status?: number;
  lock?: number;
}

/**
 * The arguments of bubblewrap for `spec` (docs/security.md has each one's reason). Descriptors are entered in `table`.
 * The command is not among them: bubblewrap takes it from its own command line only.
 */
export function bwrapArguments(spec: SandboxSpec, table: DescriptorTable, life: BwrapLife): string[] {
  return [
    ...namespaces(spec),
    ...systemArguments(spec.system),
    ...etcArguments(spec, table),
    ...fileSystems(),
    ...binds(spec, table),
    ...['--remount-ro', '/', '--new-session', '--clearenv'],
    ...Object.entries(spec.env).flatMap(([name, value]) => ['--setenv', name, value]),
    ...(spec.chdir === undefined ? [] : ['--chdir', spec.chdir]),
    ...(life.dieWithParent ? ['--die-with-parent'] : []),
    ...(life.status === undefined ? [] : ['--json-status-fd', String(life.status)]),
    ...(life.lock === undefined ? [] : ['--sync-fd', String(life.lock)]),
    ...['--cap-drop', 'ALL'],
  ];
}

function namespaces(spec: SandboxSpec): string[] {
  // Never the `-try` forms of these: they downgrade silently.
  const always = ['--unshare-user', '--disable-userns', '--unshare-pid', '--unshare-ipc', '--unshare-uts'];
  return [...always, '--unshare-cgroup-try', ...(spec.network ? [] : ['--unshare-net']), '--hostname', spec.hostname];
}

const systems = new Map<string, string[]>();

/** The read-only system. Closures are immutable, so what is found in one is remembered. */
function systemArguments(system: SandboxSystem): string[] {
  const root = system.kind === 'host' ? '/' : system.root;
  const known = systems.get(root);
  if (known) return known;
  const found = [
    ...['--ro-bind', join(root, 'usr'), '/usr'],
    ...['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'].flatMap((name) => topLevel(root, name)),
    ...(system.kind === 'host' ? existing('/etc/alternatives') : [...children(root, 'opt', new Set()), ...children(root, 'etc', OWN_ETC)]),
  ];
  systems.set(root, found);
  return found;
}

/** `bin` and its like: links into `usr` on a merged system, directories before that. */
function topLevel(root: string, name: string): string[] {
  const path = join(root, name);
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return [];
  return stat.isSymbolicLink() ? ['--symlink', readlinkSync(path).replace(/^\//, ''), `/${name}`] : ['--ro-bind', path, `/${name}`];
}

function children(root: string, directory: string, without: ReadonlySet<string>): string[] {
  const path = join(root, directory);
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => !without.has(entry.name))
    .flatMap((entry) => {
      const target = `/${directory}/${entry.name}`;
      if (entry.isSymbolicLink()) return ['--symlink', readlinkSync(join(path, entry.name)), target];
      return ['--ro-bind', join(path, entry.name), target];
    });
}

const existing = (...paths: string[]): string[] => paths.filter((path) => existsSync(path)).flatMap((path) => ['--ro-bind', path, path]);

function etcArguments(spec: SandboxSpec, table: DescriptorTable): string[] {
  const { uid, gid } = spec.identity;
  const home = spec.env['HOME'] ?? '/';
  const files = {
    '/etc/passwd': `app:x:${uid}:${gid}:Hithe component:${home}:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n`,
    '/etc/group': `app:x:${gid}:\nnogroup:x:65534:\n`,
    '/etc/hosts': `${hostsOfMachine()}\n127.0.1.1 ${spec.hostname}\n`,
    ...spec.files,
  };
  return [
    ...Object.entries(files).flatMap(([path, content]) => ['--perms', '0444', '--file', String(table.passContent(content)), path]),
    ...existing(...HOST_ETC),
  ];
}

function hostsOfMachine(): string {
  return existsSync('/etc/hosts') ? readFileSync('/etc/hosts', 'utf8').trimEnd() : '127.0.0.1 localhost\n::1 localhost';
}

function fileSystems(): string[] {
  return [
    ...['--proc', '/proc', '--dev', '/dev'],
    ...['--size', String(TMPFS_SIZES.shm), '--tmpfs', '/dev/shm', '--remount-ro', '/dev'],
    ...['--size', String(TMPFS_SIZES.tmp), '--tmpfs', '/tmp'],
    ...['--size', String(TMPFS_SIZES.run), '--tmpfs', '/run'],
  ];
}

function binds(spec: SandboxSpec, table: DescriptorTable): string[] {
  return [
    ...(spec.readOnly ?? []).flatMap(({ source, target }) => ['--ro-bind', source, target]),
    ...(spec.directories ?? []).flatMap(({ fd, target, writable }) => [
      writable ? '--bind-fd' : '--ro-bind-fd',
      String(table.pass(fd)),
      target,
    ]),
  ];
}
