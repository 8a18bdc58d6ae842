import { Injectable } from '@nestjs/common';
import { type Actor, roleIn } from '../../auth/actor.js';
import { DomainError, notFound } from '../../common/domain-error.js';
import { TransactionRunner, violates } from '../../database/transaction-runner.js';
import { AuditLog } from '../audit/audit-log.js';
import { UserDirectory } from '../users/user-directory.js';
import { lockTeam } from './last-owner.js';
import { TeamProjects } from './roles/team-projects.js';
import { Team, TeamMembership } from './team.entity.js';
import { TeamsService } from './teams.service.js';

const MOST_NAMES = 20;

/** The end of a team, and its change of hands. */
@Injectable()
export class TeamOwnership {
  constructor(
    private readonly teams: TeamsService,
    private readonly users: UserDirectory,
    private readonly projects: TeamProjects,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Makes the user with that address an owner and the caller an admin, both or neither. A platform administrator who does not own
   * the team makes all present owners admins.
   */
  async transfer(actor: Actor, teamId: string, email: string): Promise<Team> {
    const team = await this.teams.require(actor, teamId, 'transfer');
    if (team.personalOf !== null) throw personal('given to somebody else');
    const user = await this.users.findByEmail(email);
    if (!user || user.disabledAt !== null) throw notFound('user', email);
    if (user.id === actor.userId) throw toOneself(roleIn(actor, teamId) === 'owner');
    await this.transactions.run(async (tx) => {
      await lockTeam(tx, teamId);
      const owners = await tx.findBy(TeamMembership, { teamId, role: 'owner' });
      const isOwner = roleIn(actor, teamId) === 'owner';
      if (isOwner && !owners.some((owner) => owner.userId === actor.userId)) throw notFound('team', teamId);
      const leaving = owners.filter((owner) => owner.userId !== user.id && (!isOwner || owner.userId === actor.userId));
      for (const owner of leaving) await tx.save(Object.assign(owner, { role: 'admin' as const }));
      const heir =
        (await tx.findOneBy(TeamMembership, { teamId, userId: user.id })) ?? tx.create(TeamMembership, { teamId, userId: user.id });
      await tx.save(Object.assign(heir, { role: 'owner' as const, roleId: null }));
      await this.audit.record(tx, {
        action: 'team.transferred',
        teamId,
        subject: { type: 'team', id: teamId, name: team.name },
        before: { owners: owners.map((owner) => owner.userId) },
        after: { owners: [...owners.filter((owner) => !leaving.includes(owner)).map((owner) => owner.userId), user.id] },
        details: { to: user.email },
      });
    });
    return team;
  }

  /** Deletes a team that has no projects; `confirm` is its slug. Throws `TEAM_HAS_PROJECTS` with their names. */
  async delete(actor: Actor, teamId: string, confirm: string): Promise<void> {
    const team = await this.teams.require(actor, teamId, 'delete');
    if (team.personalOf !== null) throw personal('deleted: it goes with its user');
    if (confirm !== team.slug) throw notConfirmed();
    await this.transactions
      .run(async (tx) => {
        await lockTeam(tx, teamId);
        const names = await this.projects.names(tx, teamId, MOST_NAMES);
        if (names.length > 0) throw hasProjects(names);
        await this.audit.record(tx, {
          action: 'team.deleted',
          teamId,
          subject: { type: 'team', id: teamId, name: team.name },
          before: { name: team.name, slug: team.slug, number: team.number },
        });
        await tx.delete(Team, { id: teamId });
      })
      .catch((error: unknown) => {
        // Somebody created one after the look.
        throw violates(error, 'fk_projects_team_id') ? hasProjects([]) : error;
      });
  }
}

function hasProjects(names: readonly string[]): DomainError {
  const which = names.length === 0 ? 'projects' : `projects: ${names.join(', ')}`;
  return new DomainError('conflict', 'TEAM_HAS_PROJECTS', `The team has ${which}.`, {
    fix: 'Delete its projects first; their data is set aside unless you purge it.',
    details: { projects: names },
  });
}

function personal(what: string): DomainError {
  return new DomainError('conflict', 'TEAM_PERSONAL', `A personal team cannot be ${what}.`, {
    fix: 'Use a team of its own for shared work.',
  });
}

/** A platform administrator who took a team would have its secrets without breaking the glass. */
function toOneself(owns: boolean): DomainError {
  if (owns) return new DomainError('conflict', 'TEAM_ALREADY_OWNED', 'You own this team already.', { fix: 'Name another member.' });
  return new DomainError('conflict', 'TEAM_TO_ONESELF', 'Nobody takes a team for themselves.', {
    fix: 'Give it to a member; in an emergency: hithe break-glass.',
  });
}

function notConfirmed(): DomainError {
  return new DomainError('invalid', 'CONFIRMATION_WRONG', 'The confirmation is not the slug of the team; nothing was deleted.', {
    faults: [
      {
        path: 'confirm',
        code: 'CONFIRMATION_WRONG',
        message: 'must be the slug of the team',
        fix: 'Repeat the request with the slug as `confirm`.',
      },
    ],
  });
}
