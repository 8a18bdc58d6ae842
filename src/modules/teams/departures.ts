import { Injectable } from '@nestjs/common';
import { DomainError } from '../../common/domain-error.js';
import { asSystem } from '../../common/request-context.js';
import type { Transaction } from '../../common/transaction.js';
import { managerOf, violates } from '../../database/transaction-runner.js';
import { assertOwnersRemain } from './last-owner.js';
import { TeamProjects } from './roles/team-projects.js';
import { Team } from './team.entity.js';

const MOST_NAMES = 20;

/** What becomes of teams when a user is deleted. */
@Injectable()
export class Departures {
  constructor(private readonly projects: TeamProjects) {}

  /**
   * Deletes the personal team of a user, inside the transaction that deletes the user. Throws `LAST_OWNER` when another team would
   * be without an owner, and `USER_HAS_PROJECTS` when there are projects in the personal one.
   */
  async leaveForGood(tx: Transaction, userId: string): Promise<void> {
    await asSystem('teams', async () => {
      await assertOwnersRemain(tx, userId);
      const personal = await managerOf(tx).findOneBy(Team, { personalOf: userId });
      if (!personal) return;
      const names = await this.projects.names(tx, personal.id, MOST_NAMES);
      if (names.length > 0) throw hasProjects(personal.slug, names);
      await managerOf(tx)
        .delete(Team, { id: personal.id })
        .catch((error: unknown) => {
          // Somebody created one after the look.
          throw violates(error, 'fk_projects_team_id') ? hasProjects(personal.slug, []) : error;
        });
    });
  }
}

function hasProjects(slug: string, names: readonly string[]): DomainError {
  const which = names.length === 0 ? 'projects' : `projects (${names.join(', ')})`;
  return new DomainError('conflict', 'USER_HAS_PROJECTS', `There are ${which} in the personal team "${slug}" of this user.`, {
    fix: `Delete them first. To keep the user out at once, disable the account instead.`,
  });
}
