import { type AuditEvent, dataOf } from '@hithe/client';
import { momentOf } from '../audit/moment.js';
import type { Context } from '../context.js';
import { columns } from '../ui/columns.js';
import { sanitizeLine } from '../ui/sanitize.js';
import { anyTeam } from './quotas.js';

/** The filters that all commands about events take. */
export interface AuditFilterOptions {
  user?: string;
  action?: string;
  outcome?: string;
  project?: string;
  subject?: string;
  since?: string;
  until?: string;
  text?: string;
}

export interface AuditListOptions extends AuditFilterOptions {
  lines: number;
  follow?: boolean;
}

const PAGE = 200;
type Outcome = AuditEvent['outcome'];

/** The filters as the API takes them. A team is one only when it was named: without, everything that one may see is shown. */
export async function filterOf(context: Context, options: AuditFilterOptions): Promise<Record<string, string> & { outcome?: Outcome }> {
  const { user, action, outcome, project, subject, since, until, text } = options;
  const team = context.namedTeam;
  const found = {
    user,
    action,
    outcome,
    subject,
    text,
    teamId: team === undefined || team === '' || project !== undefined ? undefined : (await anyTeam(context)).id,
    projectId: project === undefined ? undefined : (await context.project(project)).id,
    since: since === undefined ? undefined : momentOf(since),
    until: until === undefined ? undefined : momentOf(until),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)) as Record<string, string>;
}

/** `hithe audit`: the newest events that one may see, the newest last; with `--follow` all further ones. */
export async function listEvents(context: Context, options: AuditListOptions): Promise<void> {
  const filter = await filterOf(context, options);
  const events = await newest(context, filter, options.lines);
  if (options.follow === true) {
    for (const event of events) printLine(context, event);
    await followEvents(context, filter);
    return;
  }
  context.show(events, () => (events.length === 0 ? 'No event.\n' : tableOf(context, events)));
}

/** `hithe audit follow`: events as they come, from now on. */
export async function follow(context: Context, options: AuditFilterOptions): Promise<void> {
  await followEvents(context, await filterOf(context, options));
}

/** `hithe audit show`: one event with what was before and after it. */
export async function showEvent(context: Context, eventId: string): Promise<void> {
  const { api } = await context.client();
  const event = await dataOf(api.GET('/api/v1/audit/events/{eventId}', { params: { path: { eventId } } }));
  context.show(event, () => describe(event));
}

async function newest(context: Context, filter: Record<string, string> & { outcome?: Outcome }, lines: number): Promise<AuditEvent[]> {
  const { api } = await context.client();
  const events: AuditEvent[] = [];
  let cursor: string | null = '';
  while (cursor !== null && events.length < lines) {
    const query = { ...filter, limit: Math.min(PAGE, lines - events.length), ...(cursor === '' ? {} : { cursor }) };
    const page: { items: AuditEvent[]; nextCursor: string | null } = await dataOf(api.GET('/api/v1/audit/events', { params: { query } }));
    events.push(...page.items);
    cursor = page.nextCursor;
  }
  return events.reverse();
}

async function followEvents(context: Context, filter: Record<string, string>): Promise<void> {
  const client = await context.client();
  const events = client.events('/api/v1/audit/follow', filter, {
    onGap: (_error, attempt) => {
      if (attempt === 3) context.note('The server does not answer; trying again. No event is lost.');
    },
  });
  for await (const { data } of events) printLine(context, data as AuditEvent);
}

function printLine(context: Context, event: AuditEvent): void {
  context.print(context.json ? JSON.stringify(event) : sanitizeLine(cellsOf(context, event).join('  '), true));
}

function tableOf(context: Context, events: readonly AuditEvent[]): string {
  return columns([
    ['SEQ', 'TIME', 'WHO', 'FROM', 'ACTION', 'SUBJECT', 'OUTCOME', 'ID'],
    ...events.map((event) => [...cellsOf(context, event), event.id]),
  ]);
}

function cellsOf({ colors }: Context, event: AuditEvent): string[] {
  const paint = event.outcome === 'success' ? colors.green : colors.red;
  const subject = event.subjectName ?? event.subjectId;
  return [
    String(event.seq),
    event.at.slice(0, 19).replace('T', ' '),
    whoOf(event),
    event.address ?? '-',
    event.action,
    `${event.subjectType} ${subject}`,
    paint(event.outcome),
  ];
}

function whoOf(event: AuditEvent): string {
  if (event.actorEmail !== null) return event.actorEmail;
  return event.part === null ? event.actorKind : `${event.actorKind}/${event.part}`;
}

function describe(event: AuditEvent): string {
  const { before, after, details, ...plain } = event;
  const rows = Object.entries(plain).map(([name, value]) => [name, value === null ? '-' : String(value)]);
  const part = (title: string, value: unknown): string =>
    value === null
      ? ''
      : `\n${title}\n${JSON.stringify(value, undefined, 2)
          .split('\n')
          .map((line) => `  ${sanitizeLine(line, true)}`)
          .join('\n')}\n`;
  return `${columns(rows)}${part('before', before)}${part('after', after)}${part('details', details)}`;
}
