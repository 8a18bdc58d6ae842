import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import type { AuditChainProblem, SignedHead } from '@hithe/client';

/** A line of an export: an event, or only its place in the chain. */
export interface ExportedLine {
  seq: number;
  previousHash: string;
  hash: string;
  [field: string]: unknown;
}

/** The fields that are hashed, in their order, behind the name of the format; JSON ones as compact JSON. */
const FIELDS = [
  'seq',
  'id',
  'at',
  'actorKind',
  'actorId',
  'actorEmail',
  'sessionId',
  'tokenId',
  'part',
  'address',
  'requestId',
  'action',
  'outcome',
  'teamId',
  'projectId',
  'subjectType',
  'subjectId',
  'subjectName',
];
const JSON_FIELDS = ['before', 'after', 'details'];
const GENESIS = '0'.repeat(64);
const MOST_PROBLEMS = 200;

/**
 * The hash that an exported event must have, by the recipe in docs/audit.md. Written apart from the server's on purpose: an auditor's
 * tool must not trust the code that it checks.
 */
export function hashOfLine(line: ExportedLine): string {
  const hash = createHash('sha256').update(Buffer.from(line.previousHash, 'hex'));
  const texts = [
    'hithe-audit-1',
    ...FIELDS.map((field) => textOf(line[field])),
    ...JSON_FIELDS.map((field) => (isAbsent(line[field]) ? undefined : JSON.stringify(line[field]))),
  ];
  for (const text of texts) hash.update(text === undefined ? '~,' : `${Buffer.byteLength(text)}:${text},`);
  return hash.digest('hex');
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function isAbsent(value: unknown): boolean {
  return value === null || value === undefined;
}

/** Checks an export line by line; keeps no more than the last place, and the hashes that heads will ask for. */
export class OfflineCheck {
  readonly problems: AuditChainProblem[] = [];
  problemCount = 0;
  /** Events whose hashes were made again, and places of events whose content is not in the file. */
  events = 0;
  places = 0;
  first: ExportedLine | undefined;
  private last: ExportedLine | undefined;

  /** `heads` are signed ones; with `partial`, events may be missing between others. */
  constructor(
    private readonly heads: ReadonlyMap<number, SignedHead>,
    private readonly partial: boolean,
  ) {}

  add(line: ExportedLine): void {
    this.first ??= line;
    const before = this.last ?? (line.seq === 1 ? { seq: 0, previousHash: '', hash: GENESIS } : undefined);
    this.last = line;
    const whole = this.checkContent(line);
    if (before !== undefined) this.checkLink(before, line, whole);
    const head = this.heads.get(line.seq);
    if (head !== undefined && head.hash !== line.hash)
      this.report(line.seq, 'head-mismatch', `Event ${line.seq} is not the one that was signed at ${head.at}: the chain was written anew.`);
  }

  /** After the last line. */
  end(): void {
    const furthest = Math.max(0, ...this.heads.keys());
    const last = this.last?.seq ?? 0;
    const head = this.heads.get(furthest);
    if (furthest > last && head !== undefined)
      this.report(last + 1, 'cut', `Events ${last + 1} to ${furthest} are missing; event ${furthest} was signed at ${head.at}.`);
  }

  get to(): number {
    return this.last?.seq ?? 0;
  }

  private checkContent(line: ExportedLine): boolean {
    if (line['id'] === undefined) {
      this.places += 1;
      return true;
    }
    this.events += 1;
    const whole = hashOfLine(line) === line.hash;
    if (!whole) this.report(line.seq, 'edited', `Event ${line.seq} was edited: its content does not have its hash.`);
    return whole;
  }

  private checkLink(before: ExportedLine, line: ExportedLine, whole: boolean): void {
    if (line.seq !== before.seq + 1) {
      if (this.partial && line.seq > before.seq) return;
      this.report(before.seq + 1, 'missing', `Events ${before.seq + 1} to ${line.seq - 1} are missing.`);
    } else if (whole && line.previousHash !== before.hash) {
      this.report(before.seq, 'edited', `Event ${before.seq} was replaced: event ${line.seq} follows another hash.`);
    }
  }

  private report(seq: number, problem: AuditChainProblem['problem'], message: string): void {
    this.problemCount += 1;
    if (this.problems.length < MOST_PROBLEMS) this.problems.push({ seq, problem, message });
  }
}

/** Public keys by their id (the first 16 digits of the SHA-256 of their DER form), out of PEM texts one after the other. */
export function publicKeys(pem: string): Map<string, KeyObject> {
  const blocks = pem.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [];
  return new Map(
    blocks.map((block) => {
      const key = createPublicKey(block);
      const id = createHash('sha256')
        .update(key.export({ type: 'spki', format: 'der' }))
        .digest('hex');
      return [id.slice(0, 16), key] as const;
    }),
  );
}

/** Whether one of the keys signed this head. */
export function isSigned(head: SignedHead, keys: ReadonlyMap<string, KeyObject>): boolean {
  const key = keys.get(head.keyId);
  const text = ['hithe-audit-head-1', head.installation, head.seq, head.hash, head.at].map((line) => `${line}\n`).join('');
  return key !== undefined && verify(null, Buffer.from(text), key, Buffer.from(head.signature, 'base64'));
}
