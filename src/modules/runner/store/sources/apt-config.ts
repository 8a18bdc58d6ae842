import { access } from 'node:fs/promises';
import { DomainError } from '../../../../common/domain-error.js';
import { requireTool, type CommandOptions } from '../command.js';

const DEBIAN_RELEASES = /^(?:oldoldstable|oldstable|stable|testing|unstable|sid|[a-z]+)(?:-(?:updates|security|backports))?$/;
const KEYRINGS = ['/usr/share/keyrings/debian-archive-keyring.pgp', '/usr/share/keyrings/debian-archive-keyring.gpg'];

/** Where Debian's packages come from. */
export interface DebianMirror {
  main: string;
  security: string | undefined;
}

/**
 * The mirror that the machine's own apt uses, unless `main` names one. Security updates come from the mirror that the
 * machine's apt knows, or `security`; with only `main` given there are none but those in the suite itself.
 */
export async function findMirror(
  given: { main?: string | undefined; security?: string | undefined },
  options: CommandOptions,
): Promise<DebianMirror> {
  if (given.main !== undefined) return { main: given.main, security: given.security };
  const format = '$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)|$(LABEL)';
  const targets = await requireTool(['apt-get', 'indextargets', '--format', format, 'Created-By: Packages'], options);
  let mirror = chooseMirror(targets.split('\n'));
  if (mirror === undefined) {
    // A machine whose apt has no lists yet has no targets either, but still knows what it would fetch.
    const uris = await requireTool(['apt-get', '-o', 'Debug::NoLocking=true', 'update', '--print-uris'], options);
    mirror = chooseMirror(uris.split('\n').flatMap((line) => targetOfUri(line) ?? []));
  }
  if (mirror === undefined) {
    throw new DomainError(
      'unavailable',
      'STORE_NO_DEBIAN_MIRROR',
      'This node has no Debian mirror in its apt configuration, and none is configured.',
      {
        fix: 'Set HITHE_DEBIAN_MIRROR to the base address of a Debian mirror (the directory that holds dists/ and pool/), then deploy again.',
      },
    );
  }
  return { main: mirror.main, security: given.security ?? mirror.security };
}

/** An index target `uri|release|component` out of a line of `apt-get update --print-uris`. */
export function targetOfUri(line: string): string | undefined {
  const [, uri, release, component] = /^'(\S+)\/dists\/([^/']+)\/([^/']+)\/binary-/.exec(line) ?? [];
  return uri === undefined || release === undefined || component === undefined ? undefined : `${uri}|${release}|${component}`;
}

/** Picks Debian's mirrors out of apt's index targets `uri|release|component|origin|label`. */
export function chooseMirror(lines: string[]): DebianMirror | undefined {
  let main: string | undefined;
  let security: string | undefined;
  for (const line of lines) {
    const [uri, release, component, origin, label] = line.split('|');
    if (uri === undefined || release === undefined || component !== 'main' || !DEBIAN_RELEASES.test(release)) continue;
    // Origin and label are known once the lists were fetched; before that the address has to tell.
    const known = origin !== undefined && origin !== '' && !origin.startsWith('$(');
    if (known ? origin !== 'Debian' : !/debian/i.test(uri)) continue;
    if (label === 'Debian-Security' || release.endsWith('-security')) security ??= uri;
    else main ??= uri;
  }
  return main === undefined ? undefined : { main: trimSlash(main), security: security === undefined ? undefined : trimSlash(security) };
}

/** The file with Debian's archive keys; an error that says how to get it otherwise. */
export async function findKeyring(candidates: readonly string[] = KEYRINGS): Promise<string> {
  for (const path of candidates) {
    if (await isReadable(path)) return path;
  }
  throw new DomainError('unavailable', 'STORE_KEYRING_MISSING', 'The keys that verify Debian packages are missing on this node.', {
    fix: 'Install the package "debian-archive-keyring" on the node, then deploy again.',
  });
}

async function isReadable(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

/** Directories of a private apt. */
export interface AptDirectories {
  /** Lists and apt's index of them, kept between builds. */
  lists: string;
  /** Everything else, of one build. */
  work: string;
}

/**
 * Text of `apt.conf` for APT_CONFIG: own lists, status and sources; of the machine's apt only how to reach the network.
 * `hostDump` is the output of `apt-config dump`.
 */
export function aptConfiguration(directories: AptDirectories, hostDump: string, architecture: string): string {
  const { lists, work } = directories;
  const network = hostDump.split('\n').filter((line) => line.startsWith('Acquire::') && !line.startsWith('Acquire::IndexTargets'));
  return [
    ...network,
    `Dir::Etc::main "/dev/null";`,
    `Dir::Etc::parts "/dev/null";`,
    `Dir::Etc::sourcelist "${work}/sources.list";`,
    `Dir::Etc::sourceparts "/dev/null";`,
    `Dir::Etc::preferences "${work}/preferences";`,
    `Dir::Etc::preferencesparts "/dev/null";`,
    `Dir::Etc::trustedparts "/dev/null";`,
    `Dir::State "${work}";`,
    `Dir::State::lists "${lists}";`,
    `Dir::State::status "${work}/status";`,
    `Dir::Cache "${work}";`,
    `Dir::Cache::archives "${work}/archives";`,
    // The index without the status is the same for every build; apt replaces it by a rename.
    `Dir::Cache::pkgcache "";`,
    `Dir::Cache::srcpkgcache "${lists}/srcpkgcache.bin";`,
    `Dir::Log "/dev/null";`,
    `Dir::Log::Planner "";`,
    `Dir::Log::Solver "";`,
    `APT::Architecture "${architecture}";`,
    `APT::Architectures { "${architecture}"; };`,
    `APT::Install-Recommends "false";`,
    `APT::Install-Suggests "false";`,
    `APT::Sandbox::User "";`,
    `Acquire::Languages "none";`,
    `Acquire::ForceHash "sha256";`,
    `Acquire::Retries "2";`,
    // Looking packages up in compressed lists takes twice as long.
    `Acquire::GzipIndexes "false";`,
    // Builds of one suite are serialised by our own lock, which other accounts' tools do not see.
    `Debug::NoLocking "true";`,
    '',
  ].join('\n');
}

/** Text of `sources.list`: one suite, and its security updates when a mirror for them is known. */
export function aptSources(suite: string, mirror: DebianMirror, keyring: string): string {
  const lines = [`deb [signed-by=${keyring}] ${trimSlash(mirror.main)} ${suite} main`];
  if (mirror.security !== undefined && suite !== 'sid') {
    lines.push(`deb [signed-by=${keyring}] ${trimSlash(mirror.security)} ${suite}-security main`);
  }
  return `${lines.join('\n')}\n`;
}

function trimSlash(uri: string): string {
  return uri.replace(/\/+$/, '');
}
