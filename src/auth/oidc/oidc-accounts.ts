import { Injectable } from '@nestjs/common';
import { DomainError } from '../../common/domain-error.js';
import type { Transaction } from '../../common/transaction.js';
import { Config } from '../../config/config.js';
import { AuditLog } from '../../modules/audit/audit-log.js';
import { TeamsService } from '../../modules/teams/teams.service.js';
import { UserAccounts } from '../../modules/users/user-accounts.js';
import { UserDirectory } from '../../modules/users/user-directory.js';
import type { User } from '../../modules/users/user.entity.js';
import { Identities } from './identities.js';
import type { OidcClaims } from './oidc-claims.js';
import type { Identity } from './oidc.entities.js';

export interface ResolvedAccount {
  user: User;
  identity: Identity;
}

/**
 * Whose account an identity opens. In this order: the one that it is linked to; the one of the same address, where the operator
 * allows it and the provider has verified the address; a new one, where the sign-up mode allows it. Nothing else links by itself.
 */
@Injectable()
export class OidcAccounts {
  constructor(
    private readonly identities: Identities,
    private readonly directory: UserDirectory,
    private readonly accounts: UserAccounts,
    private readonly teams: TeamsService,
    private readonly audit: AuditLog,
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
    if (this.config.signUp === 'invite') {
      throw new DomainError('forbidden', 'SIGN_UP_CLOSED', 'There is no account for you here, and accounts are by invitation.', {
        fix: 'Ask an administrator for an invitation; accept it, then link the identity.',
      });
    }
    return this.create(tx, email, claims);
  }

  private async linkTo(tx: Transaction, user: User, claims: OidcClaims): Promise<ResolvedAccount> {
    // Where anybody may sign up, somebody may have taken another one's address without proving that it is theirs.
    const provenHere = user.emailVerifiedAt !== null || this.config.signUp !== 'open';
    if (this.config.oidcLinkByEmail && provenHere) return { user, identity: await this.identities.link(tx, user, claims, 'email') };
    throw new DomainError('forbidden', 'OIDC_NOT_LINKED', 'There is an account of this address, and your identity is not linked to it.', {
      fix: "Log in with its password, then run 'hithe identities link' or link it in the settings.",
    });
  }

  private async create(tx: Transaction, email: string, claims: OidcClaims): Promise<ResolvedAccount> {
    const user = await this.directory.add(tx, { email, passwordHash: null, platformAdmin: false, emailVerifiedAt: new Date() });
    await this.teams.createPersonal(tx, user);
    await this.audit.record(tx, {
      action: 'user.created',
      subject: { type: 'user', id: user.id, name: user.email },
      details: { by: 'oidc', issuer: claims.issuer },
      actor: { userId: user.id, email: user.email },
    });
    return { user, identity: await this.identities.link(tx, user, claims, 'created') };
  }
}
