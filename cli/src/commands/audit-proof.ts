import { createWriteStream } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type AuditVerification, type SignedHead, dataOf } from '@hithe/client';
import { OfflineCheck, isSigned, publicKeys } from '../audit/chain.js';
import { eventsIn, headsIn } from '../audit/files.js';
import { momentOf } from '../audit/moment.js';
import { usageError } from '../cli-error.js';
import type { Context } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { columns } from '../ui/columns.js';
import { confirmByName } from '../ui/confirm.js';
import { type AuditFilterOptions, filterOf } from './audit.js';

export interface ExportOptions extends AuditFilterOptions {
  format: string;
  chain?: boolean;
  out?: string;
}

export interface VerifyOptions {
  heads?: string;
  file?: string[];
  key?: string;
  partial?: boolean;
  archives?: boolean;
}

/** The API takes no more at once. */
const MOST_HEADS = 1_000;

/** What the two ways to verify have in common. */
type Verdict = Pick<AuditVerification, 'ok' | 'checked' | 'heads' | 'from' | 'to' | 'problems' | 'problemCount'> & {
  places?: number;
  archived?: number;
};

/** `hithe audit export`: events of any number, to a file that is there only when it is whole, or to the standard output. */
export async function exportEvents(context: Context, options: ExportOptions): Promise<void> {
  const { format, chain, out } = options;
  if (format !== 'jsonl' && format !== 'csv')
    throw usageError(`"${format}" is not a format.`, { fix: 'Use --format jsonl or --format csv.' });
  const { api } = await context.client();
  const query = { ...(await filterOf(context, options)), format, ...(chain === true ? { chain: 'true' as const } : {}) } as const;
  const body = await dataOf(api.GET('/api/v1/audit/export', { params: { query }, parseAs: 'stream' }));
  const chunks = chunksOf(body as ByteStream);
  if (out === undefined) {
    const decoder = new TextDecoder();
    for await (const chunk of chunks) context.io.stdout.write(decoder.decode(chunk, { stream: true }));
    return;
  }
  const aside = `${out}.part`;
  try {
    await pipeline(Readable.from(chunks), createWriteStream(aside, { mode: 0o600, flush: true }));
    await rename(aside, out);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
  context.show({ file: out, format }, () => `${context.colors.bold(out)} is written.`);
}

/** `hithe audit verify`: proves the log, by the server or from a file alone. Exit code 1 when it is not whole. */
export async function verifyLog(context: Context, options: VerifyOptions): Promise<ExitCode> {
  const found = options.file === undefined ? await verifyOnline(context, options) : await verifyFiles(options.file, options);
  context.show(found, () => describe(context, found, options));
  return found.ok ? EXIT.ok : EXIT.failed;
}

/** `hithe audit key`: the public keys that heads and archives are signed with. */
export async function showKeys(context: Context): Promise<void> {
  const { api } = await context.client();
  const keys = await dataOf(api.GET('/api/v1/audit/keys'));
  context.show(keys, () => keys.publicKeys);
}

/** `hithe audit archive`: moves the oldest events into a signed file. */
export async function archive(context: Context, options: { before: string; confirm?: string }): Promise<void> {
  const { api } = await context.client();
  const before = momentOf(options.before);
  const thing = {
    name: 'archive',
    doing: `Moving events before ${before} out of the database`,
    command: `hithe audit archive --before ${options.before}`,
  };
  await confirmByName(context, thing, options.confirm);
  const segment = await dataOf(api.POST('/api/v1/audit/archives', { body: { before } }));
  context.show(
    segment,
    () => `Events ${segment.firstSeq} to ${segment.lastSeq} are in ${segment.file}, signed, and no longer in the database.`,
  );
}

/** `hithe audit archives`: what has left the database. */
export async function listArchives(context: Context): Promise<void> {
  const { api } = await context.client();
  const { items } = await dataOf(api.GET('/api/v1/audit/archives'));
  context.show(items, () =>
    columns([
      ['EVENTS', 'FROM', 'TO', 'FILE'],
      ...items.map(({ firstSeq, lastSeq, firstAt, lastAt, file }) => [`${firstSeq}-${lastSeq}`, firstAt, lastAt, file]),
    ]),
  );
}

async function verifyOnline(context: Context, { heads, archives }: VerifyOptions): Promise<Verdict> {
  const { api } = await context.client();
  const kept: SignedHead[] = [];
  if (heads !== undefined) for await (const head of headsIn(heads)) kept.push(head);
  const body = { heads: kept.slice(-MOST_HEADS), archives: archives === true };
  return dataOf(api.POST('/api/v1/audit/verify', { body }));
}

async function verifyFiles(files: readonly string[], { heads, key, partial }: VerifyOptions): Promise<Verdict> {
  const signed = heads === undefined ? new Map<number, SignedHead>() : await signedHeads(heads, key);
  const check = new OfflineCheck(signed, partial === true);
  for (const file of files) for await (const line of eventsIn(file)) check.add(line);
  check.end();
  const { problems, problemCount, events, places, first, to } = check;
  return { ok: problemCount === 0, checked: events, places, heads: signed.size, from: first?.seq ?? 0, to, problems, problemCount };
}

/** A head that nobody signed proves nothing, so it must not look as if it did. */
async function signedHeads(file: string, keyFile: string | undefined): Promise<Map<number, SignedHead>> {
  if (keyFile === undefined)
    throw usageError('Signed heads need the public key that they are checked with.', {
      fix: 'hithe audit key > audit.pub, then add --key audit.pub',
    });
  const keys = publicKeys(await readFile(keyFile, 'utf8'));
  const found = new Map<number, SignedHead>();
  for await (const head of headsIn(file)) {
    if (!isSigned(head, keys))
      throw usageError(`The head of event ${head.seq} in ${file} is not signed by a key in ${keyFile}.`, { code: 'HEAD_NOT_SIGNED' });
    found.set(head.seq, head);
  }
  return found;
}

function describe({ colors }: Context, found: Verdict, options: VerifyOptions): string {
  const range = found.to === 0 ? 'no events' : `events ${found.from} to ${found.to}`;
  const places = found.places === undefined || found.places === 0 ? '' : `, of ${found.places} more their place only`;
  const archived = found.archived === undefined || found.archived === 0 ? '' : `; ${found.archived} before them are archived`;
  const figures = `${range}: ${found.checked} checked${places}, ${found.heads} signed heads compared${archived}.`;
  if (found.ok) {
    const blind = options.file !== undefined && found.heads === 0;
    return `${colors.green('The audit log is whole.')} ${figures}\n${blind ? 'Without signed heads (--heads, --key), a cut end or a chain written anew is not noticed.\n' : ''}`;
  }
  const rows = found.problems.map(({ seq, problem, message }) => [String(seq), problem, message]);
  const more = found.problemCount - found.problems.length;
  return `${colors.red('The audit log is NOT whole.')} ${figures}\n\n${columns([['EVENT', 'PROBLEM', ''], ...rows])}${more > 0 ? `… and ${more} more.\n` : ''}`;
}

/** As much of a ReadableStream as both kinds of fetch have. */
interface ByteStream {
  getReader(): { read(): Promise<{ done?: boolean; value?: Uint8Array | undefined }> };
}

async function* chunksOf(stream: ByteStream): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done === true || value === undefined) return;
    yield value;
  }
}
