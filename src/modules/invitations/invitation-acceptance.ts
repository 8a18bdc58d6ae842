import { Injectable } from '@nestjs/common';
import { mayDo } from '../../auth/ability.js';
import type { TeamRole } from '../../auth/actor.js';
import { Principals } from '../../auth/principals.js';
import { DomainError } from '../../common/domain-error.js';
import { asSystem } from '../../common/request-context.js';
import type { Transaction } from '../../common/transaction.js';
import { Config } from '../../config/config.js';
import { AuditLog } from '../audit/audit-log.js';
import { linkInvalid } from '../accounts/links.js';
import { TeamMembersService } from '../teams/team-members.service.js';
import { TeamsService } from '../teams/teams.service.js';
import { UserDirectory } from '../users/user-directory.js';
import type { Invitation } from './invitation.entity.js';
import { Invitations } from './invitations.js';

/** What an invitation says to whoever holds its link. */
export interface InvitationView {
  email: string;
  team: { id: string; name: string } | null;
  role: TeamRole | null;
  invitedBy: string | null;
  expiresAt: Date;
  /** Whether to log in and accept, rather than to choose a password. */
  hasAccount: boolean;
}

/** What it takes to accept an invitation, for every way in which people come to have an account. */
@Injectable()
export class InvitationAcceptance {
  constructor(
    private readonly invitations: Invitations,
    private readonly directory: UserDirectory,
    private readonly members: TeamMembersService,
    private readonly teams: TeamsService,
    private readonly audit: AuditLog,
    private readonly principals: Principals,
    private readonly config: Config,
  ) {}

  /** The open invitation of a token, or `LINK_INVALID`; also when whoever invited could not do so any more. */
  async require(token: string): Promise<Invitation> {
    const found = await this.invitations.findByToken(token);
    if (!found || !(await this.isStillGiven(found))) throw linkInvalid();
    return found;
  }

  /** Whether somebody has invited this address: what an unknown user of the OIDC provider needs where sign-up is by invitation. */
  async openFor(email: string): Promise<boolean> {
    return (await this.givenTo(email)).length > 0;
  }

  /** Accepts all open invitations of a user whose address is known to be theirs. */
  async acceptAllFor(tx: Transaction, user: { id: string; email: string }): Promise<void> {
    for (const invitation of await this.givenTo(user.email)) await this.accept(tx, invitation, user);
  }

  /** Throws `ACCOUNT_EXISTS` and, where accounts come from the OIDC provider alone, `SIGN_UP_CLOSED`. */
  async assertNewcomersMay({ email }: Invitation): Promise<void> {
    if (await this.directory.findByEmail(email)) {
      throw new DomainError('conflict', 'ACCOUNT_EXISTS', `There is an account for ${email} already.`, {
        fix: 'Log in, then accept: hithe invitations accept, or POST /api/v1/me/invitations/accept.',
      });
    }
    if (this.config.signUp !== 'oidc') return;
    throw new DomainError('forbidden', 'SIGN_UP_CLOSED', 'Accounts of this installation come from its OIDC provider.', {
      fix: `Log in through your organisation as ${email}; the invitation counts then.`,
    });
  }

  /** Closes the invitation and makes the user a member. Throws `LINK_INVALID` when somebody was faster. */
  async accept(tx: Transaction, invitation: Invitation, user: { id: string; email: string }): Promise<void> {
    await asSystem('invitations', async () => {
      if (!(await this.invitations.close(tx, invitation.id, 'acceptedAt'))) throw linkInvalid();
      const { teamId, role } = invitation;
      if (teamId !== null && role !== null) await this.members.join(tx, teamId, user.id, role);
    });
    await this.audit.record(tx, {
      action: 'invitation.accepted',
      teamId: invitation.teamId,
      subject: { type: 'invitation', id: invitation.id, name: invitation.email },
      actor: { userId: user.id, email: user.email },
    });
  }

  private async givenTo(email: string): Promise<Invitation[]> {
    const open = await this.invitations.openFor(email);
    const given = await Promise.all(open.map((invitation) => this.isStillGiven(invitation)));
    return open.filter((_invitation, index) => given[index]);
  }

  /** Who was shown out must not have left a door open: an invitation gives what its maker may give at this moment. */
  private async isStillGiven({ teamId, role, invitedBy }: Invitation): Promise<boolean> {
    const known = invitedBy === null ? null : await this.principals.ofUser(invitedBy);
    if (known === null) return false;
    const giver = { ...known.principal, ability: known.ability };
    return teamId === null || role === null ? mayDo(giver, 'create', 'User', { id: '' }) : this.members.mayGive(giver, teamId, role);
  }

  async describe(invitation: Invitation): Promise<InvitationView> {
    const { email, teamId, role, invitedBy, expiresAt } = invitation;
    const emails = invitedBy === null ? new Map<string, string>() : await this.directory.emailsOf([invitedBy]);
    return {
      email,
      role,
      expiresAt,
      team: teamId === null ? null : await asSystem('invitations', () => this.teams.nameOf(teamId)),
      invitedBy: (invitedBy === null ? undefined : emails.get(invitedBy)) ?? null,
      hasAccount: (await this.directory.findByEmail(email)) !== null,
    };
  }
}
