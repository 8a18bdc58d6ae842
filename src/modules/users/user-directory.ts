import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { whereAllowed } from '../../auth/ability-query.js';
import type { Actor } from '../../auth/actor.js';
import { DomainError } from '../../common/domain-error.js';
import type { Transaction } from '../../common/transaction.js';
import { managerOf, violates } from '../../database/transaction-runner.js';
import { type Page, type PageQuery, pageOf } from '../../http/pagination.js';
import { User } from './user.entity.js';

export interface NewUser {
  email: string;
  passwordHash: string;
  platformAdmin: boolean;
}

/** Finds and stores users. Addresses are compared in lower case. */
@Injectable()
export class UserDirectory {
  constructor(@InjectRepository(User) private readonly users: Repository<User>) {}

  find(userId: string): Promise<User | null> {
    return this.users.findOneBy({ id: userId });
  }

  findByEmail(email: string): Promise<User | null> {
    return this.users.findOneBy({ email: normalEmail(email) });
  }

  /** Addresses by user id, for lists that name people. */
  async emailsOf(userIds: readonly string[]): Promise<Map<string, string>> {
    const found = await this.users.find({ select: { id: true, email: true }, where: { id: In([...userIds]) } });
    return new Map(found.map((user) => [user.id, user.email]));
  }

  /** The users that `actor` may read. */
  page(actor: Actor, page: PageQuery): Promise<Page<User>> {
    return pageOf(whereAllowed(this.users.createQueryBuilder('user'), actor, 'read', 'User'), page);
  }

  /** Whether an account of a platform administrator exists. */
  hasPlatformAdmin(): Promise<boolean> {
    return this.users.existsBy({ platformAdmin: true });
  }

  /** Stores a user, or throws `EMAIL_TAKEN`. */
  async add(tx: Transaction, user: NewUser): Promise<User> {
    const manager = managerOf(tx);
    try {
      return await manager.save(manager.create(User, { ...user, email: normalEmail(user.email) }));
    } catch (error) {
      if (!violates(error, 'uq_users_email')) throw error;
      throw new DomainError('conflict', 'EMAIL_TAKEN', `There is an account for ${user.email} already.`, {
        fix: 'Use another address.',
        cause: error,
      });
    }
  }
}

/** The one spelling of an address that accounts go by. */
export function normalEmail(email: string): string {
  return email.trim().toLowerCase();
}
