import { Injectable } from '@nestjs/common';
import { DataSource, type SelectQueryBuilder } from 'typeorm';
import { type Action, mayDo } from '../../auth/ability.js';
import { whereAllowed } from '../../auth/ability-query.js';
import type { Actor } from '../../auth/actor.js';
import { Bell } from '../../common/bell.js';
import { DomainError, notFound } from '../../common/domain-error.js';
import { asSystem } from '../../common/request-context.js';
import { Notifications } from '../../database/notifications.js';
import type { ServerEvent } from '../../http/event-streams.js';
import { type Page, cursorInvalid, encodeCursor } from '../../http/pagination.js';
import { TeamsService } from '../teams/teams.service.js';
import { AuditEvent } from './audit-event.entity.js';
import { AuditReader, RECORD_COLUMNS } from './audit-reader.js';
import { auditAppended } from './audit.channels.js';
import type { AuditRecord } from './domain/audit-record.js';
import type { ChainPlace } from './domain/chain-check.js';
import { AuditEventDto, type AuditFilterQuery, type AuditQuery } from './dto/audit-event.dto.js';

/** An event, or no more of it than its place in the chain. */
export type ExportedRecord = AuditRecord | (ChainPlace & { previousHash: string });

const BATCH = 500;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Which column holds an attribute of the subject `AuditEvent`. */
const ATTRIBUTES = {
  teamId: 'e.team_id',
  actorId: 'e.actor_id',
  scope: `(CASE WHEN e.team_id IS NULL THEN 'platform' ELSE 'team' END)`,
};

/** Reads the log for people: what each may see is decided in SQL, by their ability and by row-level security. */
@Injectable()
export class AuditEventsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly notifications: Notifications,
    private readonly reader: AuditReader,
    private readonly teams: TeamsService,
  ) {}

  /** A page of events that `actor` may read, newest first. */
  async list(actor: Actor, query: AuditQuery): Promise<Page<AuditRecord>> {
    await this.assertMay(actor, 'read', query);
    const found = this.query(actor, 'read', query)
      .orderBy('e.seq', 'DESC')
      .limit(query.limit + 1);
    if (query.cursor !== undefined) found.andWhere('e.seq < :cursor', { cursor: sequenceOf(query.cursor) });
    const rows = await found.getRawMany<AuditRecord>();
    const items = rows.slice(0, query.limit);
    const last = items.at(-1);
    return { items, nextCursor: rows.length > query.limit && last ? encodeCursor(String(last.seq)) : null };
  }

  /**
   * Throws 403 when the filter names a team none of whose events are the actor's, and 404 for another tenant's team or project: a filter
   * must not tell whether they exist. Projects that are gone can be asked for.
   */
  async assertMay(actor: Actor, action: 'read' | 'export', { teamId, projectId }: AuditFilterQuery): Promise<void> {
    if (teamId !== undefined) await this.assertMayInTeam(actor, action, teamId);
    if (projectId === undefined) return;
    const [project] = await asSystem('audit', () =>
      this.dataSource.query<{ id: string; teamId: string; protected: boolean }[]>(
        'SELECT id, team_id AS "teamId", protected FROM projects WHERE id = $1',
        [projectId],
      ),
    );
    const visible = project !== undefined && mayDo(actor, 'read', 'Project', project);
    if (!visible && !(await this.query(actor, 'read', { projectId }).limit(1).getRawOne())) throw notFound('project', projectId);
  }

  private async assertMayInTeam(actor: Actor, action: 'read' | 'export', teamId: string): Promise<void> {
    await this.teams.require(actor, teamId);
    if (mayDo(actor, action, 'AuditEvent', { teamId, actorId: actor.userId, scope: 'team' })) return;
    throw new DomainError('forbidden', 'ACTION_FORBIDDEN', `Your role does not allow you to ${action} audit events of this team.`, {
      fix: 'Ask an owner of the team for a role that may; auditors read and export.',
      details: { audit: { teamId, subject: { type: 'team', id: teamId } } },
    });
  }

  /** One event; 404 when it is not the actor's to read. */
  async get(actor: Actor, eventId: string): Promise<AuditRecord> {
    const record = await this.query(actor, 'read', {}).andWhere('e.id = :eventId', { eventId }).getRawOne<AuditRecord>();
    if (record === undefined) throw notFound('audit event', eventId);
    return record;
  }

  /** Events after number `after` (absent: from now on), those of the past at once and then each as it comes. Nothing is left out. */
  async *follow(actor: Actor, filter: AuditFilterQuery, after: number | undefined, signal: AbortSignal): AsyncGenerator<ServerEvent> {
    const bell = new Bell();
    const ring = (): void => {
      bell.ring();
    };
    const offs = [await this.notifications.on(auditAppended, ring), this.notifications.onReconnect(ring)];
    signal.addEventListener('abort', ring, { once: true });
    try {
      for (let seen = after ?? (await this.headSeq()); !signal.aborted;) {
        bell.reset();
        const end = await this.headSeq();
        const found = await this.batch(actor, 'read', filter, seen, end);
        for (const record of found) yield { id: record.seq, event: 'event', data: AuditEventDto.from(record) };
        seen = found.length < BATCH ? end : (found.at(-1)?.seq ?? end);
        if (found.length < BATCH) await bell.rung();
      }
    } finally {
      for (const off of offs) off();
      signal.removeEventListener('abort', ring);
    }
  }

  /**
   * The events that `actor` may export, oldest first, up to the present one; a batch at a time is in memory. With `chain` also the
   * places in the chain of the events between the first and the last of them.
   */
  async *export(actor: Actor, filter: AuditFilterQuery, chain: boolean): AsyncGenerator<ExportedRecord> {
    const end = await this.headSeq();
    let seen = 0;
    for (;;) {
      const found = await this.batch(actor, 'export', filter, seen, end);
      const last = found.at(-1)?.seq ?? end;
      if (chain) yield* this.withLinks(found, seen, found.length < BATCH ? end : last);
      else yield* found;
      if (found.length < BATCH) return;
      seen = last;
    }
  }

  private async *withLinks(found: readonly AuditRecord[], after: number, end: number): AsyncGenerator<ExportedRecord> {
    const full = new Map(found.map((record) => [record.seq, record]));
    for (let seen = after; seen < end;) {
      // Hashes tell nothing of what is in an event.
      const links = await asSystem('audit', () => this.reader.links(seen, BATCH, end));
      for (const link of links) yield full.get(link.seq) ?? link;
      if (links.length < BATCH) return;
      seen = links.at(-1)?.seq ?? end;
    }
  }

  private batch(actor: Actor, action: Action, filter: AuditFilterQuery, after: number, end: number): Promise<AuditRecord[]> {
    return this.query(actor, action, filter)
      .andWhere('e.seq > :after AND e.seq <= :end', { after, end })
      .orderBy('e.seq', 'ASC')
      .limit(BATCH)
      .getRawMany<AuditRecord>();
  }

  private async headSeq(): Promise<number> {
    return (await this.reader.head()).seq;
  }

  private query(actor: Actor, action: Action, filter: AuditFilterQuery): SelectQueryBuilder<AuditEvent> {
    const query = this.dataSource.createQueryBuilder().select(RECORD_COLUMNS).from(AuditEvent, 'e').where('TRUE');
    whereAllowed(query, actor, action, 'AuditEvent', ATTRIBUTES);
    for (const [sql, parameters] of conditionsOf(filter)) query.andWhere(sql, parameters);
    return query;
  }
}

function conditionsOf(filter: AuditFilterQuery): [string, Record<string, unknown>][] {
  const { user, action, outcome, teamId, projectId, subject, since, until, text } = filter;
  const conditions: [string, Record<string, unknown>][] = [];
  if (user !== undefined) conditions.push([UUID.test(user) ? 'e.actor_id = :user' : 'lower(e.actor_email) = lower(:user)', { user }]);
  if (action !== undefined) conditions.push(['e.action LIKE :action', { action: `${escapeLike(action)}%` }]);
  if (outcome !== undefined) conditions.push(['e.outcome = :outcome', { outcome }]);
  if (teamId !== undefined) conditions.push(['e.team_id = :teamId', { teamId }]);
  if (projectId !== undefined) conditions.push(['e.project_id = :projectId', { projectId }]);
  if (subject !== undefined) conditions.push(['(e.subject_id = :subject OR e.subject_name = :subject)', { subject }]);
  if (since !== undefined) conditions.push(['e.at >= :since', { since }]);
  if (until !== undefined) conditions.push(['e.at < :until', { until }]);
  if (text !== undefined)
    conditions.push([
      `concat_ws(' ', e.action, e.actor_email, e.subject_type, e.subject_id, e.subject_name, e.address, e.request_id) ILIKE :words`,
      // Not :text, which the columns' ::text would be taken for.
      { words: `%${escapeLike(text)}%` },
    ]);
  return conditions;
}

function escapeLike(text: string): string {
  return text.replaceAll(/[\\%_]/g, String.raw`\$&`);
}

function sequenceOf(cursor: string): number {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw cursorInvalid();
}
