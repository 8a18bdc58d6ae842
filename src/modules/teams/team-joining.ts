import { Injectable } from '@nestjs/common';
import type { TeamRole } from '../../auth/actor.js';
import { DomainError } from '../../common/domain-error.js';
import { asSystem } from '../../common/request-context.js';
import type { Transaction } from '../../common/transaction.js';
import { managerOf, violates } from '../../database/transaction-runner.js';
import { AuditLog } from '../audit/audit-log.js';
import { assertOwnersRemain, lockTeam } from './last-owner.js';
import { Team, TeamMembership } from './team.entity.js';

/** How people come into teams by their own doing, and leave with their account; inside the caller's transaction. */
@Injectable()
export class TeamJoining {
  constructor(private readonly audit: AuditLog) {}

  /** Whether this user is in the team. */
  isMember(tx: Transaction, teamId: string, userId: string): Promise<boolean> {
    return asSystem('teams', () => managerOf(tx).existsBy(TeamMembership, { teamId, userId }));
  }

  /** Makes a user who accepted an invitation a member; a role that they have there already stays. */
  async join(tx: Transaction, teamId: string, user: { id: string; email: string }, role: TeamRole): Promise<void> {
    await asSystem('teams', async () => {
      await lockTeam(tx, teamId);
      const manager = managerOf(tx);
      if (await manager.existsBy(TeamMembership, { teamId, userId: user.id })) return;
      await manager.save(manager.create(TeamMembership, { teamId, userId: user.id, role, roleId: null }));
    });
    await this.audit.record(tx, {
      action: 'member.added',
      teamId,
      subject: { type: 'member', id: user.id, name: user.email },
      after: { role },
      details: { by: 'invitation' },
    });
  }

  /**
   * Takes away what a user leaves behind: their personal team. Throws `LAST_OWNER` for teams that would be without an owner, and
   * `USER_HAS_PROJECTS` when projects run in the personal one.
   */
  async leaveForGood(tx: Transaction, userId: string): Promise<void> {
    await asSystem('teams', async () => {
      await assertOwnersRemain(tx, userId);
      const personal = await managerOf(tx).findOneBy(Team, { personalOf: userId });
      if (!personal) return;
      try {
        await managerOf(tx).delete(Team, { id: personal.id });
      } catch (error) {
        if (!violates(error, 'fk_projects_team_id')) throw error;
        throw new DomainError('conflict', 'USER_HAS_PROJECTS', `There are projects in the personal team "${personal.slug}" of this user.`, {
          fix: `Delete them first, or move their work to another team: hithe projects --team ${personal.slug}. To keep the user out at once, disable them.`,
          cause: error,
        });
      }
    });
  }
}
