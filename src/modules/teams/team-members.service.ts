import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, Repository } from 'typeorm';
import { type Actor, type AnyRole, type TeamRole, isAtLeast, roleIn } from '../../auth/actor.js';
import { DomainError, notFound } from '../../common/domain-error.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import { type Page, type PageQuery, pageOf } from '../../http/pagination.js';
import { UserDirectory } from '../users/user-directory.js';
import { Team, TeamMembership } from './team.entity.js';
import { TeamsService } from './teams.service.js';

/** A member, with the address that people know them by. */
export interface Member {
  userId: string;
  email: string;
  role: AnyRole;
  since: Date;
}

/** Who belongs to a team. A team always has an owner; an admin manages only the roles below their own. */
@Injectable()
export class TeamMembersService {
  constructor(
    private readonly teams: TeamsService,
    private readonly users: UserDirectory,
    private readonly transactions: TransactionRunner,
    @InjectRepository(TeamMembership) private readonly memberships: Repository<TeamMembership>,
  ) {}

  async list(actor: Actor, teamId: string, page: PageQuery): Promise<Page<Member>> {
    await this.teams.require(actor, teamId);
    const found = await pageOf(this.memberships.createQueryBuilder('membership').where({ teamId }), page);
    const emails = await this.users.emailsOf(found.items.map((membership) => membership.userId));
    return { ...found, items: found.items.map((membership) => memberOf(membership, emails.get(membership.userId) ?? '')) };
  }

  /** Adds the user with that address, or changes their role. Throws `LAST_OWNER`, `ROLE_TOO_HIGH`. */
  async put(actor: Actor, teamId: string, email: string, role: TeamRole): Promise<Member> {
    await this.teams.require(actor, teamId, 'manage-members');
    const user = await this.users.findByEmail(email);
    if (!user) throw notFound('user', email);
    return this.transactions.run(async (tx) => {
      await lock(tx, teamId);
      const present = await tx.findOneBy(TeamMembership, { teamId, userId: user.id });
      assertMayManage(actor, teamId, present?.role, role);
      if (present?.role === 'owner' && role !== 'owner') await assertOtherOwner(tx, teamId, user.id);
      const membership = present ?? tx.create(TeamMembership, { teamId, userId: user.id });
      membership.role = role;
      return memberOf(await tx.save(membership), user.email);
    });
  }

  /** Takes a member out; everybody may leave by themselves. Throws `LAST_OWNER`, `ROLE_TOO_HIGH`. */
  async remove(actor: Actor, teamId: string, userId: string): Promise<void> {
    await this.teams.require(actor, teamId, userId === actor.userId ? 'read' : 'manage-members');
    await this.transactions.run(async (tx) => {
      await lock(tx, teamId);
      const present = await tx.findOneBy(TeamMembership, { teamId, userId });
      if (!present) throw notFound('member', userId);
      if (userId !== actor.userId) assertMayManage(actor, teamId, present.role);
      if (present.role === 'owner') await assertOtherOwner(tx, teamId, userId);
      await tx.remove(present);
    });
  }
}

/** Makes changes of one team's members wait for each other, so that two owners cannot leave at once. */
async function lock(tx: EntityManager, teamId: string): Promise<void> {
  await tx.findOne(Team, { where: { id: teamId }, lock: { mode: 'pessimistic_write' } });
}

async function assertOtherOwner(tx: EntityManager, teamId: string, userId: string): Promise<void> {
  const owners = await tx.findBy(TeamMembership, { teamId, role: 'owner' });
  if (owners.some((owner) => owner.userId !== userId)) return;
  throw new DomainError('conflict', 'LAST_OWNER', 'This is the last owner of the team; a team cannot be without one.', {
    fix: 'Make somebody else an owner first.',
  });
}

/** Owners manage everybody; admins only roles below admin. */
function assertMayManage(actor: Actor, teamId: string, ...roles: (AnyRole | undefined)[]): void {
  if (roleIn(actor, teamId) === 'owner') return;
  if (roles.every((role) => role === undefined || !isAtLeast(role, 'admin'))) return;
  throw new DomainError('forbidden', 'ROLE_TOO_HIGH', 'An admin of a team manages developers and viewers only.', {
    fix: 'Ask an owner of the team.',
  });
}

function memberOf(membership: TeamMembership, email: string): Member {
  return { userId: membership.userId, email, role: membership.role, since: membership.createdAt };
}
