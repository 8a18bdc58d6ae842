import { csvLine } from '../../../common/csv.js';
import type { AuditRecord } from './audit-record.js';

const COLUMNS = [
  'seq',
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
  'before',
  'after',
  'details',
  'id',
  'previousHash',
  'hash',
] as const satisfies readonly (keyof AuditRecord)[];

/** The first line of a CSV export (RFC 4180), without its end. */
export const CSV_HEADER = COLUMNS.join(',');

/** One event as a line of CSV, without its end. */
export function csvLineOf(record: AuditRecord): string {
  return csvLine(COLUMNS.map((column) => record[column]));
}
