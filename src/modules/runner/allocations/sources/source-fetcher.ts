import { createHash } from 'node:crypto';
import { closeSync, createReadStream, existsSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DomainError } from '../../../../common/domain-error.js';
import type { DesiredAllocation } from '../../../../link/messages.js';
import type { DirectoryBind, Identity, RunOptions, Sandbox, SandboxSpec } from '../../sandbox/sandbox.types.js';
import type { BuildEnvironment } from '../build-environment.js';
import { requireSuccess } from '../port-scripts.js';
import { KeyedMutex } from '../support.js';
import { gitFetchCommand, gitEnvironment } from './git-source.js';

export const FETCH_STEP = 'fetch-source';
const UNPACK_TIMEOUT_MS = 10 * 60_000;
const CLONE_TIMEOUT_MS = 20 * 60_000;

/** Gets the archive `digest` into the file `target`; what it gets is verified by the caller. */
export type DownloadSource = (digest: string, target: string, signal: AbortSignal) => Promise<void>;

export interface SourceTarget {
  identity: Identity;
  /** Descriptor of the component's directory. */
  component: number;
  /** Its path, which the sandbox shows as well. */
  path: string;
}

type Source = NonNullable<DesiredAllocation['source']>;

/** Unpacks beside and renames, so that `source` is whole or not there. */
const UNPACK = [
  'mkdir source.new 2>/dev/null || { rm -rf source.new && mkdir source.new; }',
  'tar -xzf - -C source.new --no-same-owner',
  'rm -rf source',
  'mv source.new source',
].join('\n');

/** Brings the code of an app into its component's directory, as the tenant and in a sandbox of the agent's own tools. */
export class SourceFetcher {
  private readonly downloads = new KeyedMutex();
  /** How many components want an archive at this moment, by its digest. */
  private readonly users = new Map<string, number>();

  constructor(
    private readonly sandbox: Sandbox,
    private readonly cacheDirectory: string,
    private readonly download: DownloadSource,
    private readonly build: BuildEnvironment,
  ) {}

  /** Replaces the component's `source` by what `source` names. Gives the commit of a git source. */
  async fetch(source: Source, target: SourceTarget, options: Omit<RunOptions, 'timeoutMs'>): Promise<string | undefined> {
    if (source.kind === 'archive') {
      await this.unpack(source.digest, target, options);
      return undefined;
    }
    const spec = this.toolSpec(target, gitFetchCommand(source), { ...this.build.env, ...gitEnvironment(target.path) });
    const result = await this.sandbox.run(spec, { ...options, timeoutMs: CLONE_TIMEOUT_MS });
    const stdout = requireSuccess(FETCH_STEP, `git fetch of ${source.ref}`, result).stdout.toString('utf8');
    return stdout.trim().split('\n').at(-1);
  }

  private async unpack(digest: string, target: SourceTarget, options: Omit<RunOptions, 'timeoutMs'>): Promise<void> {
    await this.withArchive(digest, options.signal ?? new AbortController().signal, async (archive) => {
      const stdin = openSync(archive, 'r');
      try {
        const spec = this.toolSpec(target, ['/bin/sh', '-euc', UNPACK], {});
        const result = await this.sandbox.run(spec, { ...options, stdin, timeoutMs: UNPACK_TIMEOUT_MS });
        requireSuccess(FETCH_STEP, 'Unpacking the source', result);
      } finally {
        closeSync(stdin);
      }
    });
  }

  /** Downloads the archive that `work` may ask for by `fetch`, while it does other things first. What fails is tried again, and told, by `fetch`. */
  async ahead<T>(source: DesiredAllocation['source'], signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (source?.kind !== 'archive') return work();
    const over = new AbortController();
    const worked = new Promise<void>((resolve) => over.signal.addEventListener('abort', () => resolve()));
    const held = this.withArchive(source.digest, AbortSignal.any([signal, over.signal]), () => worked).catch(() => undefined);
    try {
      return await work();
    } finally {
      over.abort();
      await held;
    }
  }

  /** Calls `use` with the archive as a verified and checked file of the agent's. Components that want the same one share it; the last deletes it. */
  private async withArchive(digest: string, signal: AbortSignal, use: (path: string) => Promise<void>): Promise<void> {
    const hex = /^sha256-([0-9a-f]{64})$/.exec(digest)?.[1];
    if (hex === undefined) throw new DomainError('invalid', 'SOURCE_DIGEST_INVALID', `"${digest}" is not the digest of a source.`);
    mkdirSync(this.cacheDirectory, { recursive: true, mode: 0o700 });
    const path = join(this.cacheDirectory, `${hex}.tar.gz`);
    this.users.set(hex, (this.users.get(hex) ?? 0) + 1);
    try {
      await this.downloads.use(hex, () => this.obtain(digest, hex, path, signal));
      await use(path);
    } finally {
      const others = (this.users.get(hex) ?? 1) - 1;
      if (others > 0) this.users.set(hex, others);
      else {
        this.users.delete(hex);
        rmSync(path, { force: true });
      }
    }
  }

  private async obtain(digest: string, hex: string, path: string, signal: AbortSignal): Promise<void> {
    if (existsSync(path)) return;
    const partial = `${path}.${process.pid}.part`;
    try {
      await this.download(digest, partial, signal);
      const found = await digestOf(partial);
      if (found !== hex) {
        throw new DomainError(
          'invalid',
          'SOURCE_DIGEST_MISMATCH',
          `The source that arrived has the digest sha256-${found}, not ${digest}.`,
          {
            fix: 'Deploy again; if it happens again, something between server and node alters data.',
          },
        );
      }
      const { checkArchive } = await import('./archive-check.js');
      await checkArchive(partial);
      renameSync(partial, path);
    } finally {
      rmSync(partial, { force: true });
    }
  }

  /** A sandbox that shows the host's own tools and the component's directory. */
  private toolSpec({ identity, component, path }: SourceTarget, command: string[], env: Record<string, string>): SandboxSpec {
    const directories: DirectoryBind[] = [{ fd: component, target: path, writable: true }];
    const base = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', HOME: '/tmp', TMPDIR: '/tmp' };
    const { files } = this.build;
    return {
      identity,
      hostname: 'source',
      system: { kind: 'host' },
      directories,
      files,
      env: { ...base, ...env },
      network: true,
      chdir: path,
      command,
    };
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
