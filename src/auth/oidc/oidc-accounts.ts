import { Injectable } from '@nestjs/common';
import { DomainError } from '../../common/domain-error.js';
import type { Transaction } from '../../common/transaction.js';
import { Config } from '../../config/config.js';
import { InvitationAcceptance } from '../../modules/invitations/invitation-acceptance.js';
import { UserAccounts } from '../../modules/users/user-accounts.js';
import { UserDirectory } from '../../modules/users/user-directory.js';
import type { User } from '../../modules/users/user.entity.js';
import { UsersService } from '../../modules/users/users.service.js';
import { Identities } from './identities.js';
import type { OidcClaims } from './oidc-claims.js';
import type { Identity } from './oidc.entities.js';

export interface ResolvedAccount {
  user: User;
  identity: Identity;
}

/**
 * Whose account an identity opens. In this order: the one that it is linked to; the one of the same address, where the operator
 * allows it and both sides have verified the address; a new one, where the sign-up mode allows it. Nothing else links by itself.
 */
@Injectable()
export class OidcAccounts {
  constructor(
    private readonly identities: Identities,
    private readonly directory: UserDirectory,
    private readonly accounts: UserAccounts,
    private readonly users: UsersService,
    private readonly invitations: InvitationAcceptance,
    private readonly config: Config,
  ) {}

  /** Throws `ACCOUNT_DISABLED`, `OIDC_EMAIL_UNVERIFIED`, `OIDC_NOT_LINKED`, `SIGN_UP_CLOSED`. */
  async resolve(tx: Transaction, claims: OidcClaims): Promise<ResolvedAccount> {
    const identity = await this.identities.find(tx, claims);
    const user = identity === null ? null : await this.accounts.find(tx, identity.userId);
    const resolved = identity && user ? { identity, user } : await this.adopt(tx, claims);
    if (resolved.user.disabledAt === null) return resolved;
    throw new DomainError('unauthenticated', 'ACCOUNT_DISABLED', 'This account is disabled.', { fix: 'Ask an administrator.' });
  }

  private async adopt(tx: Transaction, claims: OidcClaims): Promise<ResolvedAccount> {
    const { email } = claims;
    if (email === null || !claims.emailVerified) {
      throw new DomainError(
        'unauthenticated',
        'OIDC_EMAIL_UNVERIFIED',
        'The provider has not verified your e-mail address, or did not tell it.',
        {
          fix: 'Verify it there, then log in again. If you have an account here, log in with its password and link the identity.',
        },
      );
    }
    const present = await this.directory.findByEmail(email);
    if (present) return this.linkTo(tx, present, claims);
    if (this.config.signUp === 'invite' && !(await this.invitations.openFor(email))) {
      throw new DomainError('forbidden', 'SIGN_UP_CLOSED', 'There is no account for you here, and accounts are by invitation.', {
        fix: 'Ask an administrator for an invitation to this address, then log in again.',
      });
    }
    return this.create(tx, email, claims);
  }

  private async linkTo(tx: Transaction, user: User, claims: OidcClaims): Promise<ResolvedAccount> {
    // An account whose address was never proven may have been opened by somebody else, who would keep its password.
    if (this.config.oidcLinkByEmail && user.emailVerifiedAt !== null)
      return { user, identity: await this.identities.link(tx, user, claims, 'email') };
    throw new DomainError('forbidden', 'OIDC_NOT_LINKED', 'There is an account of this address, and your identity is not linked to it.', {
      fix: "Log in with its password, then run 'hithe identities link' or link it in the settings.",
    });
  }

  private async create(tx: Transaction, email: string, claims: OidcClaims): Promise<ResolvedAccount> {
    const user = await this.users.create(tx, { email, passwordHash: null, platformAdmin: false, emailVerified: true, via: 'oidc' });
    const identity = await this.identities.link(tx, user, claims, 'created');
    await this.invitations.acceptAllFor(tx, user);
    return { user, identity };
  }
}
