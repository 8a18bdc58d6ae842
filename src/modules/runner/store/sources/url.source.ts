import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DomainError } from '../../../../common/domain-error.js';
import { requireTool } from '../command.js';
import type { DownloadCache } from '../download-cache.js';
import { parseChecksum, type Checksum } from '../store-digest.js';
import { megabytes, type FetchedPackage, type SourceContext } from './closure-source.js';

const ARCHIVE = /\.(?:tar|tar\.gz|tgz|tar\.xz|txz|tar\.bz2|tbz2|tar\.zst)$/i;

/** Files by address and digest: archives are unpacked to `opt/<name>`, anything else becomes a program in there. */
export class UrlSource {
  constructor(private readonly cache: DownloadCache) {}

  /** Downloads each file, or takes it from the cache. */
  async fetch(declaration: Readonly<Record<string, string>>, context: SourceContext): Promise<FetchedPackage[]> {
    const fetched: FetchedPackage[] = [];
    for (const [address, digest] of Object.entries(declaration)) {
      const checksum = parseChecksum(digest);
      if (checksum === undefined) throw invalidDigest(address);
      const { fileName, name } = nameOfAddress(address);
      let file = await this.cache.find(checksum, () => {
        context.progress(`warning: the cached ${fileName} is damaged; it is fetched again`);
      });
      file ??= await this.download(address, fileName, checksum, context);
      fetched.push({ name, version: fileName, source: 'url', digest: `${checksum.algorithm}-${checksum.hex}`, file });
    }
    return fetched;
  }

  /** Unpacks into `root`. */
  async unpack(packages: readonly FetchedPackage[], root: string, context: SourceContext): Promise<void> {
    const options = { owner: context.owner, signal: context.signal };
    for (const entry of packages) {
      const home = join(root, 'opt', entry.name);
      await requireTool(['mkdir', '-p', '--', home], options);
      if (ARCHIVE.test(entry.version)) {
        await requireTool(
          [
            'tar',
            '--extract',
            '--no-same-owner',
            '--no-same-permissions',
            '--directory',
            home,
            '--file',
            entry.file,
            ...compression(entry.version),
          ],
          options,
        );
      } else {
        await requireTool(['install', '-m', '0755', '--', entry.file, join(home, entry.version)], options);
      }
      context.progress(`unpacked ${entry.version}`);
    }
  }

  private async download(address: string, fileName: string, checksum: Checksum, context: SourceContext): Promise<string> {
    context.progress(`downloading ${fileName}`);
    const work = await this.cache.workDirectory();
    try {
      const target = join(work, 'download');
      const response = await fetch(address, context.signal === undefined ? {} : { signal: context.signal });
      if (!response.ok || response.body === null) throw new Error(`the server answered ${response.status}`);
      await pipeline(Readable.fromWeb(response.body), createWriteStream(target));
      const length = Number(response.headers.get('content-length') ?? 0);
      if (length > 0) context.progress(`downloaded ${fileName}, ${megabytes(length)}`);
      return await this.cache.adopt(target, checksum, fileName);
    } catch (error) {
      context.signal?.throwIfAborted();
      if (error instanceof DomainError) throw error;
      throw new DomainError('unavailable', 'STORE_NETWORK', `Could not download ${address}: ${reasonOf(error)}.`, {
        fix: 'Check the address in the closure of the manifest and that the node reaches it, then deploy again.',
        cause: error,
      });
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
}

/** File name of an address, and the same without its archive or file extension. */
export function nameOfAddress(address: string): { fileName: string; name: string } {
  const fileName = decodeURIComponent(basename(new URL(address).pathname));
  if (!/^[\w@%+=:,-][\w.@%+=:,-]*$/.test(fileName)) {
    throw new DomainError('invalid', 'STORE_ADDRESS_INVALID', `The address ${address} does not end in a file name.`, {
      fix: "Give the address of a file in the closure of the port's manifest.",
    });
  }
  const stem = fileName.replace(ARCHIVE, '');
  return { fileName, name: stem === fileName ? fileName.replace(/\.[A-Za-z]\w*$/, '') : stem };
}

function compression(fileName: string): string[] {
  if (/gz$/i.test(fileName)) return ['--gzip'];
  if (/xz$/i.test(fileName)) return ['--xz'];
  if (/bz2$/i.test(fileName)) return ['--bzip2'];
  if (/zst$/i.test(fileName)) return ['--zstd'];
  return [];
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function invalidDigest(address: string): DomainError {
  return new DomainError('invalid', 'STORE_DIGEST_INVALID', `The digest of ${address} is not one.`, {
    fix: 'Write it as sha256-, sha384- or sha512- followed by base64 (subresource integrity) or hexadecimal.',
  });
}
