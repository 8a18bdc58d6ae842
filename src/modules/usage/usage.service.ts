import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { abilityToSql } from '../../auth/ability-query.js';
import type { Actor } from '../../auth/actor.js';
import { csvLine } from '../../common/csv.js';
import { DomainError } from '../../common/domain-error.js';
import type { Page } from '../../http/pagination.js';
import { TeamsService } from '../teams/teams.service.js';
import { type UsageFigures, type UsageGroup, type UsageSpan } from './domain/usage-query.js';

/** What is summed up by is set; the rest is absent. */
export interface UsageRow extends UsageFigures {
  day?: string;
  teamId?: string;
  team?: string;
  projectId?: string;
  project?: string;
  component?: string;
}

export interface UsageQuestion extends UsageSpan {
  by: UsageGroup;
  cursor?: string | undefined;
  limit: number;
}

const GB_HOUR = 2 ** 30 * 3_600;
const FIGURES = `sum(cpu_seconds) AS "cpuSeconds", sum(memory_byte_seconds) / ${GB_HOUR} AS "memoryGbHours", sum(stored_byte_seconds) / ${GB_HOUR} AS "storedGbHours"`;

/** For each group: the columns that it shows, and the text that orders its lines and tells them apart. */
const GROUPS: Record<UsageGroup, { shows: string; key: string }> = {
  day: { shows: `min(day)::text AS day`, key: 'day::text' },
  team: { shows: `team_id AS "teamId", max(team) AS team`, key: 'team_id::text' },
  project: { shows: `team_id AS "teamId", project_id AS "projectId", max(project) AS project`, key: 'project_id::text' },
  component: {
    shows: `team_id AS "teamId", project_id AS "projectId", max(project) AS project, component`,
    key: `project_id::text || '/' || component`,
  },
};
const GROUP_COLUMNS: Record<UsageGroup, string> = {
  day: 'day',
  team: 'team_id',
  project: 'team_id, project_id',
  component: 'team_id, project_id, component',
};

const EXPORT_BATCH = 1_000;
export const EXPORT_COLUMNS = [
  'day',
  'team',
  'teamId',
  'project',
  'projectId',
  'component',
  'cpuSeconds',
  'memoryGbHours',
  'storedGbHours',
  'storedMostBytes',
] as const;
type ExportRow = Required<UsageRow>;

/** What teams have used, summed up. */
@Injectable()
export class UsageService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly teams: TeamsService,
  ) {}

  /**
   * One page of lines, in the order of their days or ids, of the projects that the actor may see. A team: the actor may read it. Null: the
   * platform, for who may manage it.
   */
  async list(actor: Actor, teamId: string | null, question: UsageQuestion): Promise<Page<UsageRow>> {
    if (teamId !== null) await this.teams.require(actor, teamId);
    const { shows, key } = GROUPS[question.by];
    const after = question.cursor === undefined ? null : decode(question.cursor);
    const parameters: unknown[] = [question.from, question.to, teamId, after, question.limit + 1];
    const rows = await this.dataSource.query<(UsageRow & { key: string })[]>(
      // What was stored at most: on each day of all components together, of these the most.
      `WITH found AS (SELECT * FROM usage_daily WHERE day BETWEEN $1 AND $2 AND ($3::uuid IS NULL OR team_id = $3) AND ${visible(actor, parameters)}),
       stored AS (SELECT key, max(bytes) AS bytes FROM (SELECT ${key} AS key, day, sum(stored_most_bytes)::float8 AS bytes FROM found GROUP BY 1, 2) d GROUP BY key)
       SELECT l.*, stored.bytes AS "storedMostBytes"
       FROM (SELECT ${key} AS key, ${shows}, ${FIGURES} FROM found GROUP BY ${GROUP_COLUMNS[question.by]}) l JOIN stored ON stored.key = l.key
       WHERE $4::text IS NULL OR l.key > $4 COLLATE "C" ORDER BY l.key COLLATE "C" LIMIT $5`,
      parameters,
    );
    const items = rows.slice(0, question.limit);
    const last = items.at(-1);
    return {
      items: items.map(({ key: _key, ...row }) => row),
      nextCursor: rows.length > question.limit && last !== undefined ? encode(last.key) : null,
    };
  }

  /** Every day of every component, as lines of CSV or of JSON; the columns of CSV come first. */
  async *export(actor: Actor, teamId: string | null, span: UsageSpan, format: 'csv' | 'jsonl'): AsyncGenerator<string> {
    if (teamId !== null) await this.teams.require(actor, teamId);
    if (format === 'csv') yield `${csvLine(EXPORT_COLUMNS)}\r\n`;
    for await (const row of this.rows(actor, teamId, span)) {
      yield format === 'csv' ? `${csvLine(EXPORT_COLUMNS.map((column) => row[column]))}\r\n` : `${JSON.stringify(row)}\n`;
    }
  }

  private async *rows(actor: Actor, teamId: string | null, span: UsageSpan): AsyncGenerator<ExportRow> {
    let after: [string, string, string, string] | undefined;
    for (;;) {
      const [day, team, project, component] = after ?? [null, null, null, null];
      const parameters: unknown[] = [span.from, span.to, teamId, day, team, project, component, EXPORT_BATCH];
      const rows = await this.dataSource.query<ExportRow[]>(exportOf(visible(actor, parameters)), parameters);
      yield* rows;
      const last = rows.at(-1);
      if (last === undefined || rows.length < EXPORT_BATCH) return;
      after = [last.day, last.teamId, last.projectId, last.component];
    }
  }
}

const exportOf = (condition: string): string => `
  SELECT day::text AS day, team, team_id AS "teamId", project, project_id AS "projectId", component, cpu_seconds AS "cpuSeconds",
         memory_byte_seconds / ${GB_HOUR} AS "memoryGbHours", stored_byte_seconds / ${GB_HOUR} AS "storedGbHours", stored_most_bytes::float8 AS "storedMostBytes"
  FROM usage_daily
  WHERE day BETWEEN $1 AND $2 AND ($3::uuid IS NULL OR team_id = $3) AND ${condition}
    AND ($4::date IS NULL OR (day, team_id, project_id, component) > ($4::date, $5::uuid, $6::uuid, $7::text))
  ORDER BY day, team_id, project_id, component LIMIT $8`;

/** Which column holds an attribute of the subject `Project`. What is gone counts as protected: that is the narrower reading. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  id: 'project_id',
  teamId: 'team_id',
  protected: 'coalesce((SELECT p.protected FROM projects p WHERE p.id = project_id), TRUE)',
};

/** The condition that the actor may see the project; adds its values to `parameters`. */
function visible(actor: Actor, parameters: unknown[]): string {
  const { sql, parameters: named } = abilityToSql(actor.ability, 'read', 'Project', (attribute) => ATTRIBUTES[attribute] ?? attribute);
  return sql.replaceAll(/:(ability\d+)/g, (_all, name: string) => `$${parameters.push(named[name])}`);
}

function encode(key: string): string {
  return Buffer.from(key).toString('base64url');
}

function decode(cursor: string): string {
  const key = Buffer.from(cursor, 'base64url').toString('utf8');
  if (/^[0-9a-f-]{10,36}(?:\/[a-z0-9_-]{1,63})?$/.test(key)) return key;
  throw new DomainError('invalid', 'CURSOR_INVALID', 'This cursor is not one that the API gave out.', {
    faults: [{ path: 'cursor', code: 'CURSOR_INVALID', message: 'unknown cursor', fix: 'Start again without a cursor.' }],
  });
}
