import { Injectable } from '@nestjs/common';
import type { AnyRole, Membership, Principal, ProjectGrant, ProjectRole } from '../../auth/actor.js';
import type { CustomRule } from '../../auth/custom-rules.js';
import { TransactionRunner } from '../../database/transaction-runner.js';

/** All that a user is anywhere, as policies need it. */
export type Standing = Required<Pick<Principal, 'memberships' | 'grants' | 'breakGlass'>>;

/** A row of `standingColumns`. */
export interface StandingRow {
  memberships: { teamId: string; role: AnyRole; roleId: string | null; rules: CustomRule[] | null }[];
  grants: { teamId: string; projectId: string; role: ProjectRole | 'custom'; rules: CustomRule[] | null }[];
  broken: Record<string, string>;
}

/**
 * Columns of all that a user is, for a SELECT in which the SQL `user` is their id. A grant counts only for members of the project's
 * team, and a custom role only in the team that made it.
 */
export function standingColumns(user: string): string {
  return `
    (SELECT coalesce(json_agg(json_build_object('teamId', m.team_id, 'role', m.role, 'roleId', m.role_id, 'rules', r.rules) ORDER BY m.id), '[]')
       FROM memberships m LEFT JOIN team_roles r ON r.id = m.role_id AND r.team_id = m.team_id
      WHERE m.user_id = ${user}) AS memberships,
    (SELECT coalesce(json_agg(json_build_object('teamId', p.team_id, 'projectId', p.id, 'role', g.role, 'rules', r.rules) ORDER BY g.id), '[]')
       FROM project_grants g
       JOIN projects p ON p.id = g.project_id
       JOIN memberships m ON m.team_id = p.team_id AND m.user_id = g.user_id
       LEFT JOIN team_roles r ON r.id = g.role_id AND r.team_id = p.team_id
      WHERE g.user_id = ${user}) AS grants,
    (SELECT coalesce(json_object_agg(b.team_id, b.id), '{}')
       FROM broken_glass b WHERE b.user_id = ${user} AND b.ended_at IS NULL AND b.expires_at > now()) AS broken`;
}

const STANDING = `SELECT ${standingColumns('$1')}`;

/** Reads what a user is: their roles in teams, their grants on projects, and the glass they broke. */
@Injectable()
export class Standings {
  constructor(private readonly transactions: TransactionRunner) {}

  /** One statement; runs on every request. Needs the platform's own access to rows. */
  async of(userId: string): Promise<Standing> {
    const [row] = await this.transactions.statement<StandingRow[]>(STANDING, [userId]);
    if (row === undefined) throw new TypeError('A SELECT without FROM gave no row');
    return standingFrom(row);
  }
}

/** The standing that a row of `standingColumns` tells. */
export function standingFrom(row: StandingRow): Standing {
  return {
    memberships: row.memberships.map(({ teamId, role, roleId, rules }): Membership => ({
      teamId,
      role,
      ...(roleId === null ? {} : { roleId, rules: rules ?? [] }),
    })),
    grants: row.grants.map(({ rules, ...grant }): ProjectGrant => (rules === null ? grant : { ...grant, rules })),
    breakGlass: row.broken,
  };
}
