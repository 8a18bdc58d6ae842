import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { ClosureDeclaration } from '../../../ports/domain/manifest.js';
import { DomainError } from '../../../../common/domain-error.js';
import { childEnd, spawnTool, toolFailure } from '../command.js';
import type { DownloadCache } from '../download-cache.js';
import { digestOf, shortDigest } from '../store-digest.js';
import { findKeyring, findMirror } from './apt-config.js';
import { Apt, type ResolvedArchive } from './apt.js';
import { megabytes, RESOLUTION_MAX_AGE_MS, type FetchedPackage, type Platform, type SourceContext } from './closure-source.js';
import { ResolutionRecords } from './resolution-records.js';
import { SuiteLists } from './suite-lists.js';

type DebianDeclaration = NonNullable<ClosureDeclaration['debian']>;

/** Of the records of resolutions. */
const FORMAT = 2;

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
    const { cache, cacheDir, platform } = this.options;
    const work = await cache.workDirectory();
    try {
      const mirror = await findMirror(this.options.mirror, { owner: context.owner, signal: context.signal });
      const { suite } = declaration;
      // Another mirror has other lists.
      const name = `${suite}-${platform.debian}-${shortDigest(digestOf(mirror))}`;
      const directories = { lists: join(cacheDir, 'debian', name), work };
      const apt = await Apt.prepare({ suite, mirror, keyring: await findKeyring(), architecture: platform.debian, directories }, context);
      return await this.resolveAndDownload(new SuiteLists(apt, suite, join(cacheDir, 'locks', name), context), declaration, context);
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

  private async resolveAndDownload(lists: SuiteLists, declaration: DebianDeclaration, context: SourceContext): Promise<FetchedPackage[]> {
    const fresh = await lists.refresh(RESOLUTION_MAX_AGE_MS);
    try {
      return await this.download(lists.apt, declaration, await this.resolve(lists, declaration), context);
    } catch (error) {
      // A mirror drops a package once its successor is out: then the lists are what is old.
      if (fresh || !(error instanceof DomainError) || error.code !== 'STORE_NETWORK') throw error;
      context.progress(`warning: ${error.message}`);
      await lists.refresh(0);
      return await this.download(lists.apt, declaration, await this.resolve(lists, declaration), context);
    }
  }

  /** What the declaration comes to on the present lists; remembered, since apt takes seconds for it. */
  private async resolve(lists: SuiteLists, declaration: DebianDeclaration): Promise<ResolvedArchive[]> {
    const key = [
      FORMAT,
      declaration.suite,
      declaration.packages,
      declaration.omit,
      this.options.platform.debian,
      await lists.apt.listsTime(),
    ];
    const known = await this.records.read(key);
    if (known !== undefined) return known.value;
    const archives = await lists.resolve(declaration.packages, declaration.omit);
    await this.records.write(key, archives);
    return archives;
  }

  private async download(
    apt: Apt,
    declaration: DebianDeclaration,
    archives: readonly ResolvedArchive[],
    context: SourceContext,
  ): Promise<FetchedPackage[]> {
    const have = await this.cached(archives, context);
    const missing = archives.filter((archive) => !have.has(archive.fileName));
    context.progress(
      missing.length === 0
        ? `${archives.length} packages of Debian ${declaration.suite}, ${totalSize(archives)}, all downloaded before`
        : `downloading ${missing.length} of ${archives.length} packages of Debian ${declaration.suite}, ${totalSize(missing)}`,
    );
    const fetched = missing.length === 0 ? new Map<string, string>() : await apt.download(missing);
    for (const { fileName, sha256 } of missing) {
      const file = await this.options.cache.adopt(fetched.get(fileName) ?? '', { algorithm: 'sha256', hex: sha256 }, fileName);
      have.set(fileName, file);
    }
    return archives.map(({ name, version, sha256, fileName }) => ({
      name,
      version,
      source: 'debian',
      digest: `sha256-${sha256}`,
      file: have.get(fileName) ?? '',
    }));
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
