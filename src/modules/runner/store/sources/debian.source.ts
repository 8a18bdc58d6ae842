import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { ClosureDeclaration } from '../../../ports/domain/manifest.js';
import { DomainError } from '../../../../common/domain-error.js';
import { childEnd, requireTool, spawnTool, toolFailure } from '../command.js';
import type { DownloadCache } from '../download-cache.js';
import { withFileLock } from '../file-lock.js';
import { digestOf, shortDigest } from '../store-digest.js';
import { findKeyring, findMirror } from './apt-config.js';
import { Apt, type ResolvedArchive } from './apt.js';
import { megabytes, RESOLUTION_MAX_AGE_MS, type FetchedPackage, type Platform, type SourceContext } from './closure-source.js';
import { ResolutionRecords } from './resolution-records.js';

type DebianDeclaration = NonNullable<ClosureDeclaration['debian']>;

/** Never needed to run software. */
const LEFT_OUT = ['doc', 'man', 'info', 'locale', 'lintian', 'bug', 'doc-base', 'gtk-doc', 'groff', 'menu'].map(
  (name) => `./usr/share/${name}`,
);

export interface DebianSourceOptions {
  cacheDir: string;
  cache: DownloadCache;
  platform: Platform;
  mirror: { main?: string | undefined; security?: string | undefined };
}

/** Debian packages of a closure: resolved and verified by a private apt, unpacked without any maintainer script. */
export class DebianSource {
  private readonly records: ResolutionRecords<ResolvedArchive[]>;

  constructor(private readonly options: DebianSourceOptions) {
    this.records = new ResolutionRecords(join(options.cacheDir, 'debian', 'resolved'));
  }

  /** Resolves and downloads. Works without network when an earlier build of the suite left lists and packages behind. */
  async fetch(declaration: DebianDeclaration, context: SourceContext): Promise<FetchedPackage[]> {
    const work = await this.options.cache.workDirectory();
    try {
      const mirror = await findMirror(this.options.mirror, { owner: context.owner, signal: context.signal });
      const keyring = await findKeyring();
      const lock = join(this.options.cacheDir, 'locks', `${declaration.suite}-${this.options.platform.debian}`);
      const onWait = (): void => {
        context.progress(`waiting for another installation that uses Debian ${declaration.suite}`);
      };
      return await withFileLock(lock, { owner: context.owner, signal: context.signal, onWait }, async () => {
        // Another mirror has other lists.
        const name = `${declaration.suite}-${this.options.platform.debian}-${shortDigest(digestOf(mirror))}`;
        const directories = { lists: join(this.options.cacheDir, 'debian', name), work, archives: join(work, 'archives') };
        const input = { suite: declaration.suite, mirror, keyring, architecture: this.options.platform.debian, directories };
        const apt = await Apt.prepare(input, context);
        const fresh = await this.refresh(apt, declaration.suite, context);
        return await this.resolveAndDownload(apt, declaration, directories.archives, fresh, context);
      });
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }

  /** Unpacks packages into `root`, in which `bin`, `lib` and so on are links into `usr` already. */
  async unpack(packages: readonly FetchedPackage[], root: string, exclude: readonly string[], context: SourceContext): Promise<void> {
    const leaveOut = [...LEFT_OUT, ...exclude.map((glob) => `./${glob.replace(/^\.?\//, '')}`)].map((glob) => `--exclude=${glob}`);
    let reported = Date.now();
    let done = 0;
    const queue = [...packages];
    const worker = async (): Promise<void> => {
      for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
        await unpackArchive(entry.file, root, leaveOut, context);
        done += 1;
        if (Date.now() - reported < 1000) continue;
        reported = Date.now();
        context.progress(`unpacked ${done} of ${packages.length} packages`);
      }
    };
    // Decompression is what takes the time, and it uses one core a package.
    const workers = await Promise.allSettled(Array.from({ length: Math.min(4, availableParallelism()) }, worker));
    for (const result of workers) if (result.status === 'rejected') throw result.reason;
  }

  /** Fetches lists when there are none or old ones; old ones do when the network is away. True when they were fetched now. */
  private async refresh(apt: Apt, suite: string, context: SourceContext): Promise<boolean> {
    const time = await apt.listsTime();
    if (time !== undefined && Date.now() - time < RESOLUTION_MAX_AGE_MS) return false;
    try {
      await apt.update();
      return true;
    } catch (error) {
      if (time === undefined || !(error instanceof DomainError) || error.code !== 'STORE_NETWORK') throw error;
      context.progress(`warning: ${error.message}`);
      context.progress(`going on with the package lists of Debian ${suite} of ${new Date(time).toISOString()}`);
      return false;
    }
  }

  private async resolveAndDownload(
    apt: Apt,
    declaration: DebianDeclaration,
    archivesDir: string,
    fresh: boolean,
    context: SourceContext,
  ): Promise<FetchedPackage[]> {
    const recorded = await this.recorded(apt, declaration, context);
    if (recorded !== undefined) return recorded;
    try {
      return await this.download(apt, declaration, await this.resolve(apt, declaration), archivesDir, context);
    } catch (error) {
      // A mirror drops a package once its successor is out: then the lists are what is old.
      if (fresh || !(error instanceof DomainError) || error.code !== 'STORE_NETWORK') throw error;
      context.progress(`warning: ${error.message}`);
      await apt.update();
      return await this.download(apt, declaration, await this.resolve(apt, declaration), archivesDir, context);
    }
  }

  /** The packages of an earlier, equal resolution on the same lists, when all of them are in the cache still. */
  private async recorded(apt: Apt, declaration: DebianDeclaration, context: SourceContext): Promise<FetchedPackage[] | undefined> {
    const known = await this.records.read(await recordKey(apt, declaration));
    if (known === undefined) return undefined;
    const have = await this.cached(known.value, context);
    if (have.size < known.value.length) return undefined;
    context.progress(`${have.size} packages of Debian ${declaration.suite}, ${totalSize(known.value)}, all downloaded before`);
    return toPackages(known.value, have);
  }

  private async resolve(apt: Apt, declaration: DebianDeclaration): Promise<ResolvedArchive[]> {
    const archives = await apt.resolve(declaration.packages, declaration.omit);
    await this.records.write(await recordKey(apt, declaration), archives);
    return archives;
  }

  private async download(
    apt: Apt,
    declaration: DebianDeclaration,
    archives: ResolvedArchive[],
    archivesDir: string,
    context: SourceContext,
  ): Promise<FetchedPackage[]> {
    const { cache } = this.options;
    const have = await this.cached(archives, context);
    const missing = archives.filter((archive) => !have.has(archive.fileName));
    context.progress(
      missing.length === 0
        ? `${archives.length} packages of Debian ${declaration.suite}, ${totalSize(archives)}, all downloaded before`
        : `downloading ${missing.length} of ${archives.length} packages of Debian ${declaration.suite}, ${totalSize(missing)}`,
    );
    if (missing.length > 0) await apt.download(declaration.packages, have, missing.length);
    for (const archive of missing) {
      const file = await cache.adopt(join(archivesDir, archive.fileName), { algorithm: 'sha256', hex: archive.sha256 }, archive.fileName);
      have.set(archive.fileName, file);
    }
    return toPackages(archives, have);
  }

  private async cached(archives: readonly ResolvedArchive[], context: SourceContext): Promise<Map<string, string>> {
    const have = new Map<string, string>();
    for (const archive of archives) {
      const file = await this.options.cache.find({ algorithm: 'sha256', hex: archive.sha256 }, () => {
        context.progress(`warning: the cached ${archive.fileName} is damaged; it is fetched again`);
      });
      if (file !== undefined) have.set(archive.fileName, file);
    }
    return have;
  }
}

async function recordKey(apt: Apt, declaration: DebianDeclaration): Promise<unknown> {
  return [declaration.suite, declaration.packages, declaration.omit, await apt.listsTime()];
}

function toPackages(archives: readonly ResolvedArchive[], have: ReadonlyMap<string, string>): FetchedPackage[] {
  return archives.map(({ name, version, sha256, fileName }) => ({
    name,
    version,
    source: 'debian',
    digest: `sha256-${sha256}`,
    file: have.get(fileName) ?? '',
  }));
}

function totalSize(archives: readonly ResolvedArchive[]): string {
  return megabytes(archives.reduce((sum, archive) => sum + archive.bytes, 0));
}

/** Unpacks one `.deb` as the store's account: no owners, no special bits; tar itself refuses `..` and defers links. */
async function unpackArchive(file: string, root: string, leaveOut: string[], context: SourceContext): Promise<void> {
  const options = { owner: context.owner, signal: context.signal };
  const reader = spawnTool(['dpkg-deb', '--fsys-tarfile', file], options, ['ignore', 'pipe', 'pipe']);
  const flags = ['--extract', '--keep-directory-symlink', '--no-same-owner', '--no-same-permissions', '--anchored', '--wildcards'];
  const writer = spawnTool(['tar', ...flags, ...leaveOut, '--directory', root, '--file', '-'], options, ['pipe', 'ignore', 'pipe']);
  const ends = Promise.allSettled([childEnd(reader, 'dpkg-deb'), childEnd(writer, 'tar')]);
  const stderr: string[] = [];
  for (const child of [reader, writer]) child.stderr?.on('data', (chunk: Buffer) => stderr.push(...chunk.toString().split('\n')));
  if (reader.stdout === null || writer.stdin === null) throw new Error('tools were started without pipes');
  // A tar that ended early closes the pipe; its exit code tells why.
  writer.stdin.on('error', () => undefined);
  reader.stdout.pipe(writer.stdin);
  const [read, written] = await ends;
  // Both must be gone before anybody removes the tree.
  if (written.status === 'rejected') throw written.reason;
  if (read.status === 'rejected') throw read.reason;
  if (written.value.code !== 0) throw toolFailure('tar', { ...written.value, stderr });
  if (read.value.code !== 0) throw toolFailure('dpkg-deb', { ...read.value, stderr });
}

/** Removes a tree of the store's account, read-only or not. */
export async function removeTree(path: string, context: Pick<SourceContext, 'owner'>): Promise<void> {
  await requireTool(['sh', '-c', '[ ! -e "$1" ] || { chmod -R u+w "$1" && rm -rf "$1"; }', 'sh', path], { owner: context.owner });
}
