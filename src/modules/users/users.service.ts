import { Injectable } from '@nestjs/common';
import { authorize } from '../../auth/ability.js';
import type { Actor } from '../../auth/actor.js';
import { PasswordHasher } from '../../auth/passwords/password-hasher.js';
import { generatePassword, passwordFault } from '../../auth/passwords/password-policy.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import type { Page, PageQuery } from '../../http/pagination.js';
import { invalidRequest } from '../../http/validation.js';
import { TeamsService } from '../teams/teams.service.js';
import { UserDirectory } from './user-directory.js';
import type { User } from './user.entity.js';

export interface AccountRequest {
  email: string;
  /** Generated when absent. */
  password?: string | undefined;
  platformAdmin?: boolean;
}

export interface OpenedAccount {
  user: User;
  /** Only when it was generated; it is not kept anywhere. */
  initialPassword?: string;
}

/** Accounts: each comes with a personal team, which its owner owns. */
@Injectable()
export class UsersService {
  constructor(
    private readonly directory: UserDirectory,
    private readonly teams: TeamsService,
    private readonly passwords: PasswordHasher,
    private readonly transactions: TransactionRunner,
  ) {}

  /** Creates a user and their personal team, together or not at all. */
  async open(request: AccountRequest): Promise<OpenedAccount> {
    const fault = request.password === undefined ? undefined : passwordFault(request.password, request.email);
    if (fault) throw invalidRequest([fault]);
    const password = request.password ?? generatePassword();
    const passwordHash = await this.passwords.hash(password);
    const user = await this.transactions.run(async (tx) => {
      const created = await this.directory.add(tx, { email: request.email, passwordHash, platformAdmin: request.platformAdmin ?? false });
      await this.teams.createPersonal(tx, created);
      return created;
    });
    return request.password === undefined ? { user, initialPassword: password } : { user };
  }

  list(actor: Actor, page: PageQuery): Promise<Page<User>> {
    return this.directory.page(actor, page);
  }

  async get(actor: Actor, userId: string): Promise<User> {
    return authorize(actor, 'read', 'User', await this.directory.find(userId), { what: 'user', id: userId });
  }
}
