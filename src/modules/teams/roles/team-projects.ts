import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Transaction } from '../../../common/transaction.js';

/** What a team needs to know of its projects, which belong to a module that needs teams. */
@Injectable()
export class TeamProjects {
  constructor(private readonly dataSource: DataSource) {}

  /** Which of these ids are projects of the team. */
  async present(teamId: string, ids: readonly string[]): Promise<Set<string>> {
    if (ids.length === 0) return new Set();
    const rows = await this.dataSource.query<{ id: string }[]>('SELECT id FROM projects WHERE team_id = $1 AND id = ANY($2)', [
      teamId,
      ids,
    ]);
    return new Set(rows.map((row) => row.id));
  }

  /** Names of the team's projects, at most `limit` of them. */
  async names(tx: Transaction, teamId: string, limit: number): Promise<string[]> {
    const rows = await tx.query<{ name: string }[]>('SELECT name FROM projects WHERE team_id = $1 ORDER BY name LIMIT $2', [teamId, limit]);
    return rows.map((row) => row.name);
  }
}
