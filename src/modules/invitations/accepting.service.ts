import { Injectable } from '@nestjs/common';
import { AuthService, type Grant } from '../../auth/auth.service.js';
import type { Actor } from '../../auth/actor.js';
import type { ClientInfo } from '../../auth/sessions/client-info.js';
import { Throttle } from '../../auth/throttle/throttle.js';
import { DomainError } from '../../common/domain-error.js';
import { asSystem } from '../../common/request-context.js';
import type { Transaction } from '../../common/transaction.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import { NewPasswords } from '../accounts/new-passwords.js';
import { UsersService } from '../users/users.service.js';
import { InvitationAcceptance, type InvitationView } from './invitation-acceptance.js';
import type { Invitation } from './invitation.entity.js';

/** Accepts invitations: with a new account, or as whoever is logged in. */
@Injectable()
export class AcceptingService {
  constructor(
    private readonly acceptance: InvitationAcceptance,
    private readonly users: UsersService,
    private readonly newPasswords: NewPasswords,
    private readonly auth: AuthService,
    private readonly throttle: Throttle,
    private readonly transactions: TransactionRunner,
  ) {}

  /** What the holder of a link may know. Throws `LINK_INVALID`. */
  async lookup(token: string, client: ClientInfo): Promise<InvitationView> {
    await this.throttle.count('token-confirm', client);
    const view = await this.acceptance.describe(await this.acceptance.require(token));
    await this.throttle.forget('token-confirm', client);
    return view;
  }

  /** Opens an account for the invited address, joins the team, and logs in. Throws `LINK_INVALID`, `ACCOUNT_EXISTS`, `SIGN_UP_CLOSED`. */
  async asNewcomer(token: string, password: string, client: ClientInfo): Promise<Grant> {
    await this.throttle.count('token-confirm', client);
    const invitation = await this.acceptance.require(token);
    await this.acceptance.assertNewcomersMay(invitation);
    const passwordHash = await this.newPasswords.hashOf(password, invitation.email, 'password');
    const user = await this.run(async (tx) => {
      const { email } = invitation;
      // Whoever invites sees the link too, so that it proves nothing about the address.
      const created = await this.users.create(tx, { email, passwordHash, platformAdmin: false, emailVerified: false, via: 'invitation' });
      await this.acceptance.accept(tx, invitation, created);
      return created;
    });
    await this.throttle.forget('token-confirm', client);
    return this.auth.admit(user, { methods: ['password'], secondFactor: false }, client);
  }

  /** Joins as the caller, whose address must be the invited one. Throws `LINK_INVALID`, `INVITATION_FOR_SOMEBODY_ELSE`. */
  async asActor(actor: Actor, token: string, client: ClientInfo): Promise<Invitation> {
    await this.throttle.count('token-confirm', client);
    const invitation = await this.acceptance.require(token);
    if (invitation.email !== actor.email) throw forSomebodyElse(invitation.email);
    await this.run((tx) => this.acceptance.accept(tx, invitation, { id: actor.userId, email: actor.email }));
    await this.throttle.forget('token-confirm', client);
    return invitation;
  }

  private run<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return asSystem('invitations', () => this.transactions.run(work));
  }
}

function forSomebodyElse(email: string): DomainError {
  return new DomainError('forbidden', 'INVITATION_FOR_SOMEBODY_ELSE', `This invitation is for ${email}.`, {
    fix: 'Log in with that address, or ask for an invitation to yours.',
  });
}
