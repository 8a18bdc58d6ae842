import { Injectable } from '@nestjs/common';
import type { AnyRole, Membership, Principal, ProjectGrant, ProjectRole } from '../../auth/actor.js';
import type { CustomRule } from '../../auth/custom-rules.js';
import { TransactionRunner } from '../../database/transaction-runner.js';

/** All that a user is anywhere, as policies need it. */
export type Standing = Required<Pick<Principal, 'memberships' | 'grants' | 'breakGlass'>>;

interface Row {
  memberships: { teamId: string; role: AnyRole; roleId: string | null; rules: CustomRule[] | null }[];
  grants: { teamId: string; projectId: string; role: ProjectRole | 'custom'; rules: CustomRule[] | null }[];
  broken: Record<string, string>;
}

/** A grant counts only for members of the project's team, and a custom role only in the team that made it. */
const STANDING = `
  SELECT
    (SELECT coalesce(json_agg(json_build_object('teamId', m.team_id, 'role', m.role, 'roleId', m.role_id, 'rules', r.rules) ORDER BY m.id), '[]')
       FROM memberships m LEFT JOIN team_roles r ON r.id = m.role_id AND r.team_id = m.team_id
      WHERE m.user_id = $1) AS memberships,
    (SELECT coalesce(json_agg(json_build_object('teamId', p.team_id, 'projectId', p.id, 'role', g.role, 'rules', r.rules) ORDER BY g.id), '[]')
       FROM project_grants g
       JOIN projects p ON p.id = g.project_id
       JOIN memberships m ON m.team_id = p.team_id AND m.user_id = g.user_id
       LEFT JOIN team_roles r ON r.id = g.role_id AND r.team_id = p.team_id
      WHERE g.user_id = $1) AS grants,
    (SELECT coalesce(json_object_agg(b.team_id, b.id), '{}')
       FROM broken_glass b WHERE b.user_id = $1 AND b.ended_at IS NULL AND b.expires_at > now()) AS broken`;

/** Reads what a user is: their roles in teams, their grants on projects, and the glass they broke. */
@Injectable()
export class Standings {
  constructor(private readonly transactions: TransactionRunner) {}

  /** One statement; runs on every request. Needs the platform's own access to rows. */
  async of(userId: string): Promise<Standing> {
    const [row] = await this.transactions.statement<Row[]>(STANDING, [userId]);
    if (row === undefined) throw new TypeError('A SELECT without FROM gave no row');
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
}
