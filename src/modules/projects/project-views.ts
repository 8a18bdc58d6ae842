import { Injectable } from '@nestjs/common';
import { abilityToSql } from '../../auth/ability-query.js';
import type { Actor } from '../../auth/actor.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import { type Page, type PageQuery, pageOfRows } from '../../http/pagination.js';
import type { AllocationState } from '../../link/messages.js';
import type { DesiredState } from '../nodes/domain/allocation.js';
import type { ProjectRecord } from './domain/project.js';
import { type ProjectState, projectState } from './domain/project-state.js';

/** A project with the one word for how it is. */
export interface ProjectView {
  project: ProjectRecord;
  state: ProjectState;
}

export interface ProjectFilter {
  teamId?: string | undefined;
  name?: string | undefined;
}

/** A row of `PROJECT_VIEW`. */
export interface ProjectViewRow extends Omit<ProjectRecord, 'createdAt' | 'updatedAt'> {
  /** Milliseconds since the epoch. */
  created: number;
  updated: number;
  /** `running:healthy,stopped:` – what is wanted of each allocation, and what was seen; null without any. */
  states: string | null;
}

/**
 * A SELECT of projects with what their states follow from, to be completed by WHERE and ORDER BY. Of allocations it reads no more: whole, they were
 * four fifths of what a list cost. No star, not even to multiply, or src/database/hot-statements.ts would not prepare it.
 */
export const PROJECT_VIEW = `
  SELECT p.id, p.team_id AS "teamId", p.name, p.spec, p.spec_version AS "specVersion", p.release, p.deploy_failed AS "deployFailed", p.protected,
         p.active_deployment_id AS "activeDeploymentId", p.activity,
         floor(extract(epoch FROM p.created_at) / 0.001)::float8 AS created, floor(extract(epoch FROM p.updated_at) / 0.001)::float8 AS updated,
         (SELECT string_agg(a.desired || ':' || coalesce(a.observed->>'state', ''), ',') FROM allocations a WHERE a.project_id = p.id) AS states
  FROM projects p`;
const COLUMNS: Readonly<Record<string, string>> = { id: 'p.id', teamId: 'p.team_id', protected: 'p.protected' };

function columnOf(attribute: string): string {
  const column = COLUMNS[attribute];
  if (column === undefined) throw new TypeError(`Projects have no column for "${attribute}"`);
  return column;
}

/** Reads projects as people see them: the most frequent questions to the API, each one statement. */
@Injectable()
export class ProjectViews {
  constructor(private readonly transactions: TransactionRunner) {}

  /** The project, whoever asks; null when there is none within reach. */
  async find(projectId: string): Promise<ProjectView | null> {
    const [row] = await this.transactions.statement<ProjectViewRow[]>(`${PROJECT_VIEW} WHERE p.id = $1`, [projectId]);
    return row === undefined ? null : projectViewOf(row);
  }

  /** One page of the projects that `actor` may read. */
  list(actor: Pick<Actor, 'ability'>, filter: ProjectFilter, page: PageQuery): Promise<Page<ProjectView>> {
    const parameters: unknown[] = [];
    const bind = (value: unknown): string => `$${parameters.push(value)}`;
    const allowed = abilityToSql(actor.ability, 'read', 'Project', columnOf);
    const conditions = [allowed.sql.replaceAll(/:(ability\d+)/g, (_all, name: string) => bind(allowed.parameters[name]))];
    if (filter.teamId !== undefined) conditions.push(`p.team_id = ${bind(filter.teamId)}`);
    if (filter.name !== undefined) conditions.push(`p.name = ${bind(filter.name)}`);
    return pageOfRows(
      page,
      async (after, limit) => {
        if (after !== undefined) conditions.push(`p.id > ${bind(after)}`);
        const sql = `${PROJECT_VIEW} WHERE ${conditions.join(' AND ')} ORDER BY p.id LIMIT ${bind(limit)}`;
        return (await this.transactions.statement<ProjectViewRow[]>(sql, parameters)).map(projectViewOf);
      },
      ({ project }) => project.id,
    );
  }
}

/** The project that a row of `PROJECT_VIEW` tells. */
export function projectViewOf({ created, updated, states, ...row }: ProjectViewRow): ProjectView {
  const project: ProjectRecord = { ...row, createdAt: new Date(created), updatedAt: new Date(updated) };
  const allocations = (states ?? '').split(',').flatMap((text) => {
    const [desired = '', observed = ''] = text.split(':', 2);
    return desired === ''
      ? []
      : [{ desired: desired as DesiredState, observed: observed === '' ? null : { state: observed as AllocationState } }];
  });
  return { project, state: projectState({ ...project, allocations }) };
}
