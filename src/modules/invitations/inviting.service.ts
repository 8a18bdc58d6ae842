import { Injectable } from '@nestjs/common';
import { authorize, mayDo } from '../../auth/ability.js';
import type { Actor, TeamRole } from '../../auth/actor.js';
import { Throttle } from '../../auth/throttle/throttle.js';
import { DomainError, notFound } from '../../common/domain-error.js';
import { requestContext } from '../../common/request-context.js';
import type { Transaction } from '../../common/transaction.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import type { Page, PageQuery } from '../../http/pagination.js';
import { AuditLog } from '../audit/audit-log.js';
import { TeamMembersService } from '../teams/team-members.service.js';
import { TeamsService } from '../teams/teams.service.js';
import { UserDirectory } from '../users/user-directory.js';
import type { Invitation } from './invitation.entity.js';
import { type InvitationLink, InvitationMails } from './invitation-mails.js';
import { Invitations } from './invitations.js';

export interface InvitationRequest {
  email: string;
  days: number;
}

/** Invites people to teams and to the platform. */
@Injectable()
export class InvitingService {
  constructor(
    private readonly invitations: Invitations,
    private readonly teams: TeamsService,
    private readonly members: TeamMembersService,
    private readonly users: UserDirectory,
    private readonly mails: InvitationMails,
    private readonly throttle: Throttle,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
  ) {}

  /** Invites to a team with a role that `actor` may give. Throws `ROLE_TOO_HIGH`, `ALREADY_MEMBER`, `TOO_MANY_ATTEMPTS`. */
  async toTeam(actor: Actor, teamId: string, role: TeamRole, { email, days }: InvitationRequest): Promise<InvitationLink> {
    const team = await this.teams.require(actor, teamId, 'manage-members');
    this.members.assertMayGive(actor, teamId, role);
    const user = await this.users.findByEmail(email);
    if (user && (await this.members.roleOf(teamId, user.id)) !== undefined) {
      throw new DomainError('conflict', 'ALREADY_MEMBER', `${email} is in this team already.`, { fix: 'Change their role instead.' });
    }
    await this.throttle.count('invitation', { address: requestContext()?.address ?? '', account: actor.userId });
    return this.transactions.run(async (tx) => {
      const added = await this.invitations.add(tx, { teamId, role, email, days, invitedBy: actor.userId });
      await this.record(tx, 'invitation.created', added.invitation);
      return this.mails.send(tx, added, { by: actor.email, team: team.name });
    });
  }

  /** Invites to the platform: an account with its personal team. Throws `EMAIL_TAKEN`. */
  async toPlatform(actor: Actor, { email, days }: InvitationRequest): Promise<InvitationLink> {
    if (await this.users.findByEmail(email)) {
      throw new DomainError('conflict', 'EMAIL_TAKEN', `There is an account for ${email} already.`, {
        fix: 'Invite them to a team instead.',
      });
    }
    return this.transactions.run(async (tx) => {
      const added = await this.invitations.add(tx, { teamId: null, role: null, email, days, invitedBy: actor.userId });
      await this.record(tx, 'invitation.created', added.invitation);
      return this.mails.send(tx, added, { by: actor.email });
    });
  }

  async listOfTeam(actor: Actor, teamId: string, page: PageQuery): Promise<Page<Invitation>> {
    await this.teams.require(actor, teamId, 'manage-members');
    return this.invitations.list(teamId, page);
  }

  listOfPlatform(page: PageQuery): Promise<Page<Invitation>> {
    return this.invitations.list(null, page);
  }

  /** Takes an open invitation back. Who may invite may revoke. */
  async revoke(actor: Actor, invitationId: string): Promise<void> {
    const invitation = await this.invitations.find(invitationId);
    if (!invitation) throw notFound('invitation', invitationId);
    this.assertMayRevoke(actor, invitation);
    await this.transactions.run(async (tx) => {
      if (!(await this.invitations.close(tx, invitation.id, 'revokedAt'))) throw notFound('invitation', invitationId);
      await this.record(tx, 'invitation.revoked', invitation);
    });
  }

  private assertMayRevoke(actor: Actor, { id, teamId, role }: Invitation): void {
    if (teamId === null || role === null) {
      if (!mayDo(actor, 'create', 'User', { id: '' })) throw notFound('invitation', id);
      return;
    }
    authorize(actor, 'manage-members', 'Team', { id: teamId }, { what: 'invitation', id });
    this.members.assertMayGive(actor, teamId, role);
  }

  private record(tx: Transaction, action: 'invitation.created' | 'invitation.revoked', invitation: Invitation): Promise<void> {
    const { id, teamId, email, role, expiresAt } = invitation;
    return this.audit.record(tx, {
      action,
      teamId,
      subject: { type: 'invitation', id, name: email },
      details: { role, expiresAt: expiresAt.toISOString() },
    });
  }
}
