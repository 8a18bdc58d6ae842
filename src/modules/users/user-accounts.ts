import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { DomainError } from '../../common/domain-error.js';
import type { Transaction } from '../../common/transaction.js';
import { TransactionRunner, managerOf } from '../../database/transaction-runner.js';
import { User } from './user.entity.js';

export type { User };

/** Changes what is kept of a user, inside the caller's transaction. Who may do so, and what else it entails, is for the callers. */
@Injectable()
export class UserAccounts {
  constructor(private readonly transactions: TransactionRunner) {}

  /** The user, if there is one. */
  find(tx: Transaction, userId: string): Promise<User | null> {
    return managerOf(tx).findOneBy(User, { id: userId });
  }

  /** The user as they are now; nobody else changes them until the transaction ends. Null when they are gone. */
  lock(tx: Transaction, userId: string): Promise<User | null> {
    return managerOf(tx).findOne(User, { where: { id: userId }, lock: { mode: 'for_no_key_update' } });
  }

  /** The user as they are now; they stay so until the transaction ends, though others may look as well. */
  hold(tx: Transaction, userId: string): Promise<User | null> {
    return managerOf(tx).findOne(User, { where: { id: userId }, lock: { mode: 'pessimistic_read' } });
  }

  async save(tx: Transaction, user: User): Promise<User> {
    return managerOf(tx).save(user);
  }

  /** Puts the same password under a newer hash, unless it has changed meanwhile. */
  async rehash(userId: string, before: string, after: string): Promise<void> {
    await this.transactions.statement('UPDATE users SET password_hash = $3, updated_at = now() WHERE id = $1 AND password_hash = $2', [
      userId,
      before,
      after,
    ]);
  }

  /**
   * Throws `LAST_PLATFORM_ADMIN` when nobody else administers the platform. Holds all administrators, so that two cannot
   * remove each other at once: call it before any other lock.
   */
  async assertOtherPlatformAdmin(tx: Transaction, userId: string): Promise<void> {
    const admins = await lockPlatformAdmins(managerOf(tx));
    if (admins.some((admin) => admin.id !== userId)) return;
    throw new DomainError('conflict', 'LAST_PLATFORM_ADMIN', 'This is the last administrator of the platform who can log in.', {
      fix: 'Make somebody else an administrator first.',
    });
  }

  async remove(tx: Transaction, user: User): Promise<void> {
    await managerOf(tx).remove(User, user);
  }
}

/** Always in the same order, so that two of these wait instead of ending in a deadlock. */
function lockPlatformAdmins(manager: EntityManager): Promise<User[]> {
  return manager
    .createQueryBuilder(User, 'user')
    .where('user.platformAdmin AND user.disabledAt IS NULL')
    .orderBy('user.id')
    .setLock('for_no_key_update')
    .getMany();
}
