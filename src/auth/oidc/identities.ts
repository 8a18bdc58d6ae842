import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { DomainError, notFound } from '../../common/domain-error.js';
import type { Transaction } from '../../common/transaction.js';
import { TransactionRunner, managerOf, violates } from '../../database/transaction-runner.js';
import { type Page, type PageQuery, pageOf } from '../../http/pagination.js';
import { AuditLog } from '../../modules/audit/audit-log.js';
import type { Actor } from '../actor.js';
import { assertWayIn, lockUser } from '../factors/ways-in.js';
import type { OidcClaims } from './oidc-claims.js';
import { GroupRoles } from './group-roles.js';
import { Identity } from './oidc.entities.js';

/** Whom the provider knows users as. An identity belongs to one user; a user may have several. */
@Injectable()
export class Identities {
  constructor(
    @InjectRepository(Identity) private readonly identities: Repository<Identity>,
    private readonly groupRoles: GroupRoles,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
  ) {}

  /** The identity that these claims name, held until the transaction ends. */
  find(tx: Transaction, { issuer, subject }: OidcClaims): Promise<Identity | null> {
    return managerOf(tx).findOne(Identity, { where: { issuer, subject }, lock: { mode: 'pessimistic_write' } });
  }

  /** Ties an identity to a user. Throws `IDENTITY_TAKEN` when it is somebody's already. */
  async link(
    tx: Transaction,
    user: { id: string; email: string },
    claims: OidcClaims,
    how: 'created' | 'email' | 'user',
  ): Promise<Identity> {
    const manager = managerOf(tx);
    const { issuer, subject, email } = claims;
    try {
      const identity = await manager.save(
        manager.create(Identity, { userId: user.id, issuer, subject, email, platformAdmin: false, lastUsedAt: null }),
      );
      await this.audit.record(tx, {
        action: 'identity.linked',
        subject: { type: 'identity', id: identity.id, name: email ?? subject },
        after: { issuer, subject, email },
        details: { by: how },
        actor: { userId: user.id, email: user.email },
      });
      return identity;
    } catch (error) {
      if (!violates(error, 'uq_identities_issuer_subject')) throw error;
      throw new DomainError('conflict', 'IDENTITY_TAKEN', 'This identity belongs to an account already.', {
        fix: 'Log in with it, and unlink it there first.',
        cause: error,
      });
    }
  }

  async touch(tx: Transaction, identity: Identity, claims: OidcClaims): Promise<void> {
    await managerOf(tx).update(Identity, { id: identity.id }, { email: claims.email, lastUsedAt: () => 'now()' });
  }

  list(actor: Actor, page: PageQuery): Promise<Page<Identity>> {
    return pageOf(this.identities.createQueryBuilder('identity').where('identity.userId = :userId', { userId: actor.userId }), page);
  }

  /** Links the identity that has just logged in at the provider to the caller's account. */
  linkOwn(actor: Actor, claims: OidcClaims): Promise<Identity> {
    return this.transactions.run((tx) => this.link(tx, { id: actor.userId, email: actor.email }, claims, 'user'));
  }

  /** Takes an identity of the caller's away, and what its groups gave. Throws `LAST_WAY_IN`. */
  async unlink(actor: Actor, id: string): Promise<void> {
    await this.transactions.run(async (tx) => {
      await lockUser(tx, actor.userId);
      const identity = await managerOf(tx).findOneBy(Identity, { id, userId: actor.userId });
      if (!identity) throw notFound('identity', id);
      await this.groupRoles.withdraw(tx, identity, { id: actor.userId, email: actor.email });
      await managerOf(tx).delete(Identity, { id });
      await assertWayIn(tx, actor.userId);
      await this.audit.record(tx, {
        action: 'identity.unlinked',
        subject: { type: 'identity', id, name: identity.email ?? identity.subject },
        before: { issuer: identity.issuer, subject: identity.subject, email: identity.email },
      });
    });
  }
}
