import { dirname, resolve } from 'node:path';
import { type HitheClient, HitheApiError, dataOf } from '@hithe/client';
import { CliError, usageError } from '../cli-error.js';
import { EXIT } from '../exit-codes.js';
import type { ProjectFile } from '../project-file/project-file.js';
import { type PackedSource, packSource } from './pack.js';

interface PathSource {
  component: string;
  path: string;
  source: Record<string, unknown>;
}

/**
 * The spec of a project file with the digest of each `source: {path}` filled in, and the packed directories by component.
 * Sends nothing.
 */
export async function packSources(file: ProjectFile): Promise<{ spec: Record<string, unknown>; packed: Map<string, PackedSource> }> {
  const spec = structuredClone(file.spec);
  const packed = new Map<string, PackedSource>();
  for (const { component, path, source } of pathSources(spec)) {
    const result = await packSource(resolve(dirname(file.path), path), path).catch((error: unknown) => {
      throw placed(error, file, `components.${component}.source.path`);
    });
    source['digest'] = result.digest;
    packed.set(component, result);
  }
  return { spec, packed };
}

/** Up to this size an upload costs less than asking whether it is needed. */
const SMALL_BYTES = 256 * 1024;
/** The server's own limit. */
const MAX_ARCHIVE_BYTES = 64 * 1024 * 1024;

/** Does `work` once the team has the sources; a large one is only uploaded when the server says that it does not know it. */
export async function withSources<T>(
  client: HitheClient,
  teamId: string,
  sources: readonly PackedSource[],
  work: () => Promise<T>,
): Promise<T> {
  const isSmall = ({ archive }: PackedSource): boolean => archive.length <= SMALL_BYTES;
  const uploadAll = (some: readonly PackedSource[]): Promise<unknown> =>
    Promise.all(some.map((source) => uploadSource(client, teamId, source)));
  await uploadAll(sources.filter(isSmall));
  const large = sources.filter((source) => !isSmall(source));
  if (large.length === 0) return work();
  try {
    const result = await work();
    if (!mentionsUnknownSource(result)) return result;
  } catch (error) {
    if (!(error instanceof HitheApiError) || !mentionsUnknownSource(error.problem.errors)) throw error;
  }
  await uploadAll(large);
  return work();
}

/** Whether an answer (the faults of an error, the checks of a plan) holds the code for an archive that is not there. */
function mentionsUnknownSource(answer: unknown): boolean {
  return JSON.stringify(answer ?? null).includes('"SOURCE_UNKNOWN"');
}

/** Sends a packed source to a team's store of sources. The server recognises content that it has already. */
async function uploadSource({ api }: HitheClient, teamId: string, { archive, digest }: PackedSource): Promise<void> {
  if (archive.length > MAX_ARCHIVE_BYTES) throw tooLarge(archive.length);
  const answer = await dataOf(
    api.POST('/api/v1/teams/{teamId}/sources', {
      params: { path: { teamId } },
      headers: { 'content-type': 'application/gzip' },
      // The document calls a binary body a string.
      body: archive as unknown as string,
      bodySerializer: (body) => body,
    }),
  );
  if (answer.digest === digest) return;
  throw new CliError(EXIT.failed, `The upload arrived damaged: ${answer.digest} instead of ${digest}.`, {
    code: 'UPLOAD_DAMAGED',
    fix: 'Run the command again.',
  });
}

function tooLarge(bytes: number): CliError {
  return usageError(
    `A source has ${Math.ceil(bytes / 1024 / 1024)} MiB when compressed; at most ${MAX_ARCHIVE_BYTES / 1024 / 1024} MiB can be uploaded.`,
    {
      code: 'SOURCE_TOO_LARGE',
      fix: 'Name what the app does not need in .gitignore, or use source: {git: …}.',
    },
  );
}

function placed(error: unknown, file: ProjectFile, path: string): unknown {
  if (!(error instanceof CliError) || !error.code.startsWith('SOURCE_')) return error;
  const faults = file.place([{ place: path, message: error.message, ...(error.fix === undefined ? {} : { fix: error.fix }) }]);
  return usageError(`A source of ${file.shownPath} cannot be uploaded.`, { code: error.code, faults, cause: error });
}

/** Every `source: {path}` of a spec. Malformed parts are left for the server to judge. */
function pathSources(spec: Record<string, unknown>): PathSource[] {
  return Object.entries(asObject(spec['components']) ?? {}).flatMap(([component, value]) => {
    const source = asObject(asObject(value)?.['source']);
    return source !== undefined && typeof source['path'] === 'string' ? [{ component, path: source['path'], source }] : [];
  });
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}
