import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { whereAllowed } from '../../auth/ability-query.js';
import type { Actor } from '../../auth/actor.js';
import { DomainError } from '../../common/domain-error.js';
import type { Transaction } from '../../common/transaction.js';
import { managerOf, violates } from '../../database/transaction-runner.js';
import { type Page, type PageQuery, pageOf } from '../../http/pagination.js';
import { isServiceAddress } from './service-address.js';
import { User } from './user.entity.js';

export interface NewUser {
  email: string;
  /** Null for whoever logs in by other means. */
  passwordHash: string | null;
  platformAdmin: boolean;
  /** When the address was found to be theirs. */
  emailVerifiedAt?: Date;
}

/** Finds and stores users. Addresses are compared in lower case. */
@Injectable()
export class UserDirectory {
  constructor(@InjectRepository(User) private readonly users: Repository<User>) {}

  find(userId: string): Promise<User | null> {
    return this.users.findOneBy({ id: userId });
  }

  /** The person of that address; service accounts are not found by theirs, and so can neither log in nor be invited. */
  findByEmail(email: string): Promise<User | null> {
    return this.users.findOneBy({ email: normalEmail(email), kind: 'person' });
  }

  /** The service accounts of a team. */
  servicesOf(teamId: string, page: PageQuery): Promise<Page<User>> {
    return pageOf(this.users.createQueryBuilder('user').where({ homeTeamId: teamId }), page);
  }

  countServices(tx: Transaction, teamId: string): Promise<number> {
    return managerOf(tx).countBy(User, { homeTeamId: teamId });
  }

  /** A service account of a team. */
  findService(teamId: string, userId: string): Promise<User | null> {
    return this.users.findOneBy({ id: userId, homeTeamId: teamId });
  }

  /** Addresses by user id, for lists that name people. */
  async emailsOf(userIds: readonly string[]): Promise<Map<string, string>> {
    const found = await this.users.find({ select: { id: true, email: true }, where: { id: In([...userIds]) } });
    return new Map(found.map((user) => [user.id, user.email]));
  }

  /** The people that `actor` may read. */
  page(actor: Actor, page: PageQuery): Promise<Page<User>> {
    return pageOf(whereAllowed(this.users.createQueryBuilder('user').where({ kind: 'person' }), actor, 'read', 'User'), page);
  }

  /** Whether an account of a platform administrator exists. */
  hasPlatformAdmin(): Promise<boolean> {
    return this.users.existsBy({ platformAdmin: true });
  }

  /** Stores a person, or throws `EMAIL_TAKEN`, `EMAIL_RESERVED`, `EMAIL_MISLEADING`. */
  async add(tx: Transaction, user: NewUser): Promise<User> {
    const email = normalEmail(user.email);
    if (isMisleading(user.email.trim())) {
      throw new DomainError('invalid', 'EMAIL_MISLEADING', 'The address has characters that nobody sees, or that stand for others.', {
        fix: 'Type it anew, without spaces and with plain letters.',
      });
    }
    if (isServiceAddress(email)) {
      throw new DomainError('invalid', 'EMAIL_RESERVED', 'Addresses that end in .service are those of service accounts.', {
        fix: 'Use another address.',
      });
    }
    return insert(tx, { ...user, email });
  }

  /** Stores a service account, which has no password; throws `EMAIL_TAKEN`. */
  addService(tx: Transaction, service: { email: string; homeTeamId: string }): Promise<User> {
    return insert(tx, { ...service, kind: 'service', passwordHash: null, platformAdmin: false });
  }
}

async function insert(tx: Transaction, user: Partial<User> & { email: string }): Promise<User> {
  const manager = managerOf(tx);
  try {
    return await manager.save(manager.create(User, user));
  } catch (error) {
    if (!violates(error, 'uq_users_email')) throw error;
    throw new DomainError('conflict', 'EMAIL_TAKEN', `There is an account for ${user.email} already.`, {
      fix: 'Use another address.',
      cause: error,
    });
  }
}

/** Whether people would take the address for another one: it has spaces, invisible characters, or compatibility forms of letters. */
function isMisleading(email: string): boolean {
  return /[\p{C}\p{Z}]/u.test(email) || email.normalize('NFKC') !== email;
}

/** The one spelling of an address that accounts go by. */
export function normalEmail(email: string): string {
  return email.trim().toLowerCase();
}
