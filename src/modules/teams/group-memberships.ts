import { Injectable } from '@nestjs/common';
import { In } from 'typeorm';
import type { AnyRole, TeamRole } from '../../auth/actor.js';
import type { Transaction } from '../../common/transaction.js';
import { managerOf } from '../../database/transaction-runner.js';
import { hasOtherOwner, lockTeam } from './last-owner.js';
import { Team, TeamMembership } from './team.entity.js';

export interface GroupTeam {
  id: string;
  slug: string;
}

/**
 * Memberships as the groups of an OIDC provider set them: without an actor, inside the caller's transaction, which needs the
 * platform's own access to rows. What is the last owner's stays.
 */
@Injectable()
export class GroupMemberships {
  /** The teams with these slugs; whatever is not there is left out. Personal teams are nobody's to give. */
  async teams(tx: Transaction, slugs: readonly string[]): Promise<GroupTeam[]> {
    const found = await managerOf(tx).findBy(Team, { slug: In([...slugs]) });
    return found.filter((team) => team.personalOf === null).map(({ id, slug }) => ({ id, slug }));
  }

  async roleOf(tx: Transaction, teamId: string, userId: string): Promise<AnyRole | undefined> {
    return (await managerOf(tx).findOneBy(TeamMembership, { teamId, userId }))?.role;
  }

  /** Gives the role, or takes the membership away with null. False when that would leave the team without an owner. */
  async set(tx: Transaction, teamId: string, userId: string, role: TeamRole | null): Promise<boolean> {
    const manager = managerOf(tx);
    await lockTeam(tx, teamId);
    const present = await manager.findOneBy(TeamMembership, { teamId, userId });
    if (present?.role === 'owner' && role !== 'owner' && !(await hasOtherOwner(tx, teamId, userId))) return false;
    if (role !== null) {
      await manager.save(Object.assign(present ?? manager.create(TeamMembership, { teamId, userId }), { role, roleId: null }));
    } else if (present) {
      await tx.query('DELETE FROM project_grants g USING projects p WHERE p.id = g.project_id AND p.team_id = $1 AND g.user_id = $2', [
        teamId,
        userId,
      ]);
      await manager.remove(present);
    }
    return true;
  }
}
