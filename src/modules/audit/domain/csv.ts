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

/** What spreadsheets take for a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/** The first line of a CSV export (RFC 4180), without its end. */
export const CSV_HEADER = COLUMNS.join(',');

/** One event as a line of CSV, without its end. */
export function csvLineOf(record: AuditRecord): string {
  return COLUMNS.map((column) => csvCell(record[column])).join(',');
}

/** A cell that no spreadsheet runs: what would be a formula starts with an apostrophe. */
export function csvCell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n']/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
