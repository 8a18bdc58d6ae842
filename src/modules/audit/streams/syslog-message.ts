import type { Outcome } from '../domain/audit-entry.js';
import { type StreamItem, lineOf } from './sink.js';

/** "Log audit" of RFC 5424. */
const FACILITY = 13;
const SEVERITIES: Readonly<Record<Outcome, number>> = { failed: 3, denied: 4, success: 5 };
/** The number that RFC 5612 sets aside for whoever has none of their own. */
const STRUCTURED_DATA_ID = 'hithe@32473';
const LONGEST_MSGID = 32;
const BOM = '\uFEFF';

export interface SyslogOrigin {
  hostname: string;
  pid: number;
  /** Longer messages carry their structured data only. */
  mostBytes: number;
}

/** One item as an RFC 5424 message: who, what and the place in the chain as structured data, the whole event as JSON behind it. */
export function syslogMessage(item: StreamItem, origin: SyslogOrigin): string {
  const { event, head } = item;
  const severity = event === undefined ? SEVERITIES.success : SEVERITIES[event.outcome];
  const at = event === undefined ? head.at : event.at;
  const id = event === undefined ? 'audit.head' : event.action;
  const header = `<${FACILITY * 8 + severity}>1 ${at} ${token(origin.hostname, 255)} hithe ${origin.pid} ${token(id, LONGEST_MSGID)}`;
  const data = event === undefined ? { ...head, at: undefined } : dataOf(event);
  const short = `${header} ${structuredData(data)}`;
  const whole = `${short} ${BOM}${lineOf(item)}`;
  return Buffer.byteLength(whole) <= origin.mostBytes ? whole : short;
}

function dataOf(event: NonNullable<StreamItem['event']>): Record<string, string | number | null> {
  const { seq, actorEmail, actorId, address, requestId, outcome, teamId, projectId, subjectType, subjectId, hash } = event;
  return { seq, actorEmail, actorId, address, requestId, outcome, teamId, projectId, subjectType, subjectId, hash };
}

function structuredData(values: Readonly<Record<string, string | number | null | undefined>>): string {
  const parameters = Object.entries(values).flatMap(([name, value]) =>
    value === null || value === undefined ? [] : [` ${name}="${String(value).replaceAll(/["\\\]]/g, String.raw`\$&`)}"`],
  );
  return `[${STRUCTURED_DATA_ID}${parameters.join('')}]`;
}

/** Visible ASCII without blanks, as header fields want it. */
function token(text: string, longest: number): string {
  return text.replaceAll(/[^\x21-\x7e]/g, '_').slice(0, longest) || '-';
}
