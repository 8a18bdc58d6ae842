import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { type Action, authorize } from '../../auth/ability.js';
import { whereAllowed } from '../../auth/ability-query.js';
import type { Actor, AnyRole } from '../../auth/actor.js';
import { DomainError, notFound } from '../../common/domain-error.js';
import { asSystem } from '../../common/request-context.js';
import type { Transaction } from '../../common/transaction.js';
import { TransactionRunner, managerOf, violates } from '../../database/transaction-runner.js';
import { type Page, type PageQuery, pageOf } from '../../http/pagination.js';
import { Config } from '../../config/config.js';
import { AuditLog } from '../audit/audit-log.js';
import { LONGEST_SLUG, slugOf, withTail } from './team-slug.js';
import { Team, TeamMembership } from './team.entity.js';

/** Each takes a uid on every node for good. */
const MOST_TEAMS = 100;

/** A team as the operating system of a node sees it. */
export interface Tenant {
  teamId: string;
  slug: string;
  number: number;
}

/** A team with the role that somebody has in it. */
export interface OwnTeam {
  id: string;
  slug: string;
  name: string;
  role: AnyRole;
}

export interface NewTeam {
  name: string;
  /** From the name when absent. */
  slug?: string | undefined;
}

/** Teams, their tenants and who belongs to them. */
@Injectable()
export class TeamsService {
  constructor(
    @InjectRepository(Team) private readonly teams: Repository<Team>,
    @InjectRepository(TeamMembership) private readonly memberships: Repository<TeamMembership>,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
    private readonly config: Config,
  ) {}

  /** Founds a team that `actor` owns. Throws `TEAM_SLUG_TAKEN`, `TEAM_SLUG_RESERVED`, `TEAMS_TOO_MANY`. */
  async create(actor: Actor, team: NewTeam): Promise<Team> {
    const slug = team.slug ?? slugOf(team.name);
    if (!actor.platformAdmin) {
      if (this.isReserved(slug)) throw slugReserved(slug);
      if (actor.memberships.filter(({ role }) => role === 'owner').length >= MOST_TEAMS) throw tooManyTeams();
    }
    return this.transactions.run((tx) => this.add(tx, { slug, name: team.name, personalOf: null }, actor.userId));
  }

  /** Gives the team another name; its slug stays. */
  async rename(actor: Actor, teamId: string, name: string): Promise<Team> {
    await this.require(actor, teamId, 'update');
    return this.transactions.run(async (tx) => {
      const team = await tx.findOne(Team, { where: { id: teamId }, lock: { mode: 'pessimistic_write' } });
      if (!team) throw notFound('team', teamId);
      if (team.name === name) return team;
      const before = { name: team.name };
      team.name = name;
      const saved = await tx.save(team);
      await this.audit.record(tx, { action: 'team.renamed', teamId, subject: { type: 'team', id: teamId, name }, before, after: { name } });
      return saved;
    });
  }

  /** Founds a user's own team, named after their address. */
  async createPersonal(tx: Transaction, user: { id: string; email: string }): Promise<Team> {
    const name = (user.email.split('@', 1)[0] ?? user.email).slice(0, LONGEST_SLUG);
    const wanted = slugOf(name);
    const taken = this.isReserved(wanted) || (await asSystem('teams', () => managerOf(tx).existsBy(Team, { slug: wanted })));
    const slug = taken ? withTail(wanted) : wanted;
    return this.add(tx, { slug, name, personalOf: user.id }, user.id);
  }

  /** The teams that `actor` may read. */
  list(actor: Actor, page: PageQuery): Promise<Page<Team>> {
    return pageOf(whereAllowed(this.teams.createQueryBuilder('team'), actor, 'read', 'Team'), page);
  }

  /** The team, if `actor` may do `action` to it; for every other module that works on behalf of a team. */
  async require(actor: Actor, teamId: string, action: Action = 'read'): Promise<Team> {
    return authorize(actor, action, 'Team', await this.teams.findOneBy({ id: teamId }), { what: 'team', id: teamId });
  }

  /** What a node needs to know of a team. No actor: for work that was authorised before. */
  async tenantOf(teamId: string): Promise<Tenant> {
    const team = await this.teams.findOneBy({ id: teamId });
    if (!team) throw notFound('team', teamId);
    return { teamId: team.id, slug: team.slug, number: team.number };
  }

  /** What whoever is invited to a team may know of it. No actor: for work that was authorised before. */
  nameOf(teamId: string): Promise<{ id: string; name: string } | null> {
    return this.teams.findOne({ select: { id: true, name: true }, where: { id: teamId } });
  }

  /** The teams that `actor` belongs to, oldest membership first. */
  async ofActor(actor: Pick<Actor, 'memberships'>): Promise<OwnTeam[]> {
    const found = new Map(
      (await this.teams.findBy({ id: In(actor.memberships.map((each) => each.teamId)) })).map((team) => [team.id, team]),
    );
    return actor.memberships.flatMap(({ teamId, role }) => {
      const team = found.get(teamId);
      return team ? [{ id: team.id, slug: team.slug, name: team.name, role }] : [];
    });
  }

  /** Whether groups of the OIDC provider belong to a team of this slug: whoever founded it first would get their members. */
  private isReserved(slug: string): boolean {
    return Object.values(this.config.oidcGroups ?? {}).some(({ teams }) => Object.hasOwn(teams, slug));
  }

  private async add(tx: Transaction, team: Pick<Team, 'slug' | 'name' | 'personalOf'>, ownerId: string): Promise<Team> {
    const manager = managerOf(tx);
    const [next] = await tx.query<{ number: number }[]>(`SELECT nextval('tenant_numbers')::int AS number`);
    if (!next) throw new TypeError('The sequence tenant_numbers gave no number');
    try {
      // Nobody is in the team yet, so nobody but the platform can write its rows.
      return await asSystem('teams', async () => {
        const created = await manager.save(manager.create(Team, { ...team, number: next.number }));
        await manager.save(manager.create(TeamMembership, { teamId: created.id, userId: ownerId, role: 'owner', roleId: null }));
        await this.audit.record(tx, {
          action: 'team.created',
          teamId: created.id,
          subject: { type: 'team', id: created.id, name: created.name },
          after: { name: created.name, slug: created.slug, owner: ownerId },
        });
        return created;
      });
    } catch (error) {
      if (!violates(error, 'uq_teams_slug')) throw error;
      throw new DomainError('conflict', 'TEAM_SLUG_TAKEN', `There is a team "${team.slug}" already.`, {
        fix: 'Choose another slug.',
        cause: error,
      });
    }
  }
}

function slugReserved(slug: string): DomainError {
  return new DomainError('conflict', 'TEAM_SLUG_RESERVED', `The slug "${slug}" is set aside for groups of the identity provider.`, {
    fix: 'Choose another with `slug`, or ask a platform administrator to found that team.',
  });
}

function tooManyTeams(): DomainError {
  return new DomainError('quota', 'TEAMS_TOO_MANY', `You own ${MOST_TEAMS} teams already.`, {
    fix: 'Delete or transfer those that nobody needs, or ask a platform administrator.',
  });
}
