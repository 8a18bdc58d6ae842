import { createHash } from 'node:crypto';
import type { ActorKind, Outcome } from './audit-entry.js';

/** An event as it is stored: every value is the very text that was hashed. */
export interface AuditRecord {
  seq: number;
  id: string;
  /** UTC with microseconds: `2026-01-31T09:30:00.123456Z`. */
  at: string;
  actorKind: ActorKind;
  actorId: string | null;
  actorEmail: string | null;
  sessionId: string | null;
  tokenId: string | null;
  /** The part of the platform that acted, when nobody else did. */
  part: string | null;
  address: string | null;
  requestId: string | null;
  action: string;
  outcome: Outcome;
  teamId: string | null;
  projectId: string | null;
  subjectType: string;
  subjectId: string;
  subjectName: string | null;
  /** Texts of JSON. */
  before: string | null;
  after: string | null;
  details: string | null;
  /** Hexadecimal SHA-256, of the event before and of this one. */
  previousHash: string;
  hash: string;
}

/** The columns that the application writes, and may: all others are the database's. */
export const SUPPLIED_COLUMNS: readonly string[] = [
  'id',
  'actor_kind',
  'actor_id',
  'actor_email',
  'session_id',
  'token_id',
  'part',
  'address',
  'request_id',
  'action',
  'outcome',
  'team_id',
  'project_id',
  'subject_type',
  'subject_id',
  'subject_name',
  'before',
  'after',
  'details',
];

/** Hash before the first event. */
export const GENESIS_HASH = '0'.repeat(64);
const FORMAT = 'hithe-audit-1';

/**
 * The hash of an event: SHA-256 over the 32 bytes of the hash before it and its fields, each as length in bytes, colon, UTF-8 text
 * and comma (`5:hello,`), absent ones as `~,`. The same as `audit_hash` in the database; docs/audit.md has the recipe.
 */
export function hashOfRecord(record: AuditRecord): string {
  const hash = createHash('sha256').update(Buffer.from(record.previousHash, 'hex'));
  for (const field of fieldsOf(record)) hash.update(field === null ? '~,' : `${Buffer.byteLength(field)}:${field},`);
  return hash.digest('hex');
}

function fieldsOf(record: AuditRecord): (string | null)[] {
  return [
    FORMAT,
    String(record.seq),
    record.id,
    record.at,
    record.actorKind,
    record.actorId,
    record.actorEmail,
    record.sessionId,
    record.tokenId,
    record.part,
    record.address,
    record.requestId,
    record.action,
    record.outcome,
    record.teamId,
    record.projectId,
    record.subjectType,
    record.subjectId,
    record.subjectName,
    record.before,
    record.after,
    record.details,
  ];
}

/** One line of JSON, without its end: what exports, archives and streams consist of. The JSON within is the hashed text itself. */
export function jsonLineOf(record: AuditRecord): string {
  const { before, after, details, previousHash, hash, ...rest } = record;
  const raw = `"before":${before ?? 'null'},"after":${after ?? 'null'},"details":${details ?? 'null'}`;
  return `${JSON.stringify(rest).slice(0, -1)},${raw},"previousHash":"${previousHash}","hash":"${hash}"}`;
}

/** The record of a line that `jsonLineOf` made. */
export function recordOfJsonLine(line: string): AuditRecord {
  const value = JSON.parse(line) as Omit<AuditRecord, 'before' | 'after' | 'details'> & Record<'before' | 'after' | 'details', unknown>;
  const text = (part: unknown): string | null => (part === null ? null : JSON.stringify(part));
  return { ...value, before: text(value.before), after: text(value.after), details: text(value.details) };
}
