import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { notFound } from '../common/domain-error.js';
import { mayDo } from './ability.js';
import type { Actor } from './actor.js';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

interface ProjectRow {
  id: string;
  teamId: string;
  protected: boolean;
}

/**
 * Asked before a route is refused as a whole: whoever may not even see the row that the address names gets the same 404 as for
 * one that does not exist, so that "forbidden" always means one's own.
 */
@Injectable()
export class HiddenRows {
  constructor(private readonly dataSource: DataSource) {}

  /** Throws `…_NOT_FOUND` when the parameters of the address name a team or project that the actor cannot see. */
  async assertVisible(actor: Actor, parameters: Readonly<Record<string, unknown>>): Promise<void> {
    // The scopes of a token hide nothing from its owner.
    const owner = { ability: actor.unscoped ?? actor.ability };
    const { teamId, projectId } = parameters;
    if (typeof teamId === 'string' && UUID.test(teamId) && !mayDo(owner, 'read', 'Team', { id: teamId })) throw notFound('team', teamId);
    if (typeof projectId !== 'string' || !UUID.test(projectId)) return;
    const [row] = await this.dataSource.query<ProjectRow[]>('SELECT id, team_id AS "teamId", protected FROM projects WHERE id = $1', [
      projectId,
    ]);
    if (row === undefined || !mayDo(owner, 'read', 'Project', row)) throw notFound('project', projectId);
  }
}
