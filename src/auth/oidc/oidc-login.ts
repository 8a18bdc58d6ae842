import { Injectable } from '@nestjs/common';
import { DomainError } from '../../common/domain-error.js';
import { asSystem } from '../../common/request-context.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import { AuditLog } from '../../modules/audit/audit-log.js';
import type { User } from '../../modules/users/user.entity.js';
import { AuthService, type Grant } from '../auth.service.js';
import type { SecondFactorChallenge } from '../factors/login-proof.js';
import { SecondFactors } from '../factors/second-factors.js';
import type { ClientInfo } from '../sessions/client-info.js';
import { GroupRoles } from './group-roles.js';
import { Identities } from './identities.js';
import type { OidcClaims } from './oidc-claims.js';
import { OidcAccounts } from './oidc-accounts.js';

export type OidcLoginResult = { grant: Grant } | { challenge: SecondFactorChallenge };

/** Turns somebody whom the provider knows into a session of Hithe's. */
@Injectable()
export class OidcLogin {
  constructor(
    private readonly accounts: OidcAccounts,
    private readonly identities: Identities,
    private readonly groupRoles: GroupRoles,
    private readonly factors: SecondFactors,
    private readonly auth: AuthService,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Finds or creates the account, gives it the roles of its groups, and opens a session. An account with a second factor is
   * asked for it, unless the provider says that it has asked for one itself.
   */
  async logIn(claims: OidcClaims, client: ClientInfo): Promise<OidcLoginResult> {
    return asSystem('authentication', async () => {
      const user = await this.userOf(claims);
      const challenge = claims.multiFactor ? null : await this.factors.challengeFor(user.id, 'oidc');
      if (challenge) return { challenge };
      return { grant: await this.auth.admit(user, { methods: ['oidc'], secondFactor: claims.multiFactor }, client) };
    });
  }

  private async userOf(claims: OidcClaims): Promise<User> {
    try {
      return await this.transactions.run(async (tx) => {
        const { user, identity } = await this.accounts.resolve(tx, claims);
        await this.identities.touch(tx, identity, claims);
        await this.groupRoles.apply(tx, identity, user, claims.groups);
        return user;
      });
    } catch (error) {
      if (error instanceof DomainError && (error.kind === 'unauthenticated' || error.kind === 'forbidden'))
        await this.recordRefusal(claims, error);
      throw error;
    }
  }

  private async recordRefusal(claims: OidcClaims, error: DomainError): Promise<void> {
    await this.audit.recordNow({
      action: 'user.log-in-refused',
      outcome: 'denied',
      subject: { type: 'identity', id: claims.subject, ...(claims.email === null ? {} : { name: claims.email }) },
      details: { code: error.code, issuer: claims.issuer },
    });
  }
}
