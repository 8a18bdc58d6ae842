import { Injectable } from '@nestjs/common';
import { type Action, authorize } from '../../auth/ability.js';
import type { Actor } from '../../auth/actor.js';
import type { Session } from '../../auth/sessions/session.entity.js';
import { Sessions } from '../../auth/sessions/sessions.js';
import { DomainError, notFound } from '../../common/domain-error.js';
import type { Transaction } from '../../common/transaction.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import type { Page, PageQuery } from '../../http/pagination.js';
import { AuditLog } from '../audit/audit-log.js';
import { Departures } from '../teams/departures.js';
import { UserAccounts } from './user-accounts.js';
import { UserDirectory } from './user-directory.js';
import type { User } from './user.entity.js';

/** What an administrator can change of a user; what is absent stays. */
export interface UserChange {
  disabled?: boolean | undefined;
  platformAdmin?: boolean | undefined;
}

/** What administrators of the platform do to other people's accounts. One of them who can log in always remains. */
@Injectable()
export class UserAdministration {
  constructor(
    private readonly directory: UserDirectory,
    private readonly accounts: UserAccounts,
    private readonly sessions: Sessions,
    private readonly departures: Departures,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
  ) {}

  /** The person, if `actor` may do `action` to them. Service accounts are their teams' to manage. */
  async require(actor: Actor, userId: string, action: Action): Promise<User> {
    const found = await this.directory.find(userId);
    return authorize(actor, action, 'User', found?.kind === 'person' ? found : null, { what: 'user', id: userId });
  }

  /**
   * Disables, enables, makes somebody an administrator or no longer one. Whoever is disabled is out at once: their sessions end.
   * Throws `LAST_PLATFORM_ADMIN`.
   */
  async change(actor: Actor, userId: string, change: UserChange): Promise<User> {
    await this.require(actor, userId, 'update');
    return this.transactions.run(async (tx) => {
      const weakens = change.disabled === true || change.platformAdmin === false;
      const user = await this.lock(tx, userId, weakens);
      await this.setDisabled(tx, user, change.disabled);
      await this.setPlatformAdmin(tx, user, change.platformAdmin);
      return this.accounts.save(tx, user);
    });
  }

  /**
   * Deletes an account, its sessions, tokens, memberships and personal team; what it did stays in the audit log. Throws
   * `LAST_PLATFORM_ADMIN`, `LAST_OWNER`, `USER_HAS_PROJECTS`.
   */
  async remove(actor: Actor, userId: string): Promise<void> {
    await this.require(actor, userId, 'delete');
    await this.transactions.run(async (tx) => {
      const user = await this.lock(tx, userId, true);
      await this.departures.leaveForGood(tx, userId);
      await this.audit.record(tx, {
        action: 'user.deleted',
        subject: { type: 'user', id: user.id, name: user.email },
        before: { email: user.email, platformAdmin: user.platformAdmin, disabled: user.disabledAt !== null },
      });
      await this.accounts.remove(tx, user);
    });
  }

  /** Where a user is logged in. */
  async sessionsOf(actor: Actor, userId: string, page: PageQuery): Promise<Page<Session>> {
    await this.require(actor, userId, 'update');
    return this.sessions.list(userId, page);
  }

  /** Ends all sessions of a user; how many there were. */
  async endSessions(actor: Actor, userId: string): Promise<number> {
    await this.require(actor, userId, 'update');
    return this.transactions.run((tx) => this.sessions.endAll(tx, userId, 'revoked-by-administrator'));
  }

  /** Locks administrators before the user, always in this order. */
  private async lock(tx: Transaction, userId: string, weakens: boolean): Promise<User> {
    const before = weakens ? await this.accounts.find(tx, userId) : null;
    if (before?.platformAdmin === true && before.disabledAt === null) await this.accounts.assertOtherPlatformAdmin(tx, userId);
    const user = await this.accounts.lock(tx, userId);
    if (!user) throw notFound('user', userId);
    if (weakens && before && before.platformAdmin !== user.platformAdmin) throw changedMeanwhile();
    return user;
  }

  private async setDisabled(tx: Transaction, user: User, disabled: boolean | undefined): Promise<void> {
    if (disabled === undefined || disabled === (user.disabledAt !== null)) return;
    user.disabledAt = disabled ? new Date() : null;
    if (disabled) await this.sessions.endAll(tx, user.id, 'user-disabled');
    await this.audit.record(tx, {
      action: disabled ? 'user.disabled' : 'user.enabled',
      subject: { type: 'user', id: user.id, name: user.email },
      before: { disabled: !disabled },
      after: { disabled },
    });
  }

  private async setPlatformAdmin(tx: Transaction, user: User, platformAdmin: boolean | undefined): Promise<void> {
    if (platformAdmin === undefined || platformAdmin === user.platformAdmin) return;
    user.platformAdmin = platformAdmin;
    await this.audit.record(tx, {
      action: platformAdmin ? 'platform-admin.granted' : 'platform-admin.revoked',
      subject: { type: 'user', id: user.id, name: user.email },
      before: { platformAdmin: !platformAdmin },
      after: { platformAdmin },
    });
  }
}

function changedMeanwhile(): DomainError {
  return new DomainError('conflict', 'USER_CHANGED', 'Somebody else changed this user at the same moment.', {
    fix: 'Look again, and repeat it.',
  });
}
