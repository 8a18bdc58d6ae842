import { Injectable } from '@nestjs/common';
import { authorize } from '../../auth/ability.js';
import type { Actor } from '../../auth/actor.js';
import { PasswordHasher } from '../../auth/passwords/password-hasher.js';
import { generatePassword, passwordFault } from '../../auth/passwords/password-policy.js';
import type { Transaction } from '../../common/transaction.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import type { Page, PageQuery } from '../../http/pagination.js';
import { invalidRequest } from '../../http/validation.js';
import { AuditLog } from '../audit/audit-log.js';
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

/** How somebody came to have an account. */
export type AccountOrigin = 'administrator' | 'bootstrap' | 'sign-up' | 'invitation' | 'oidc';

export interface NewAccount {
  email: string;
  /** Null for whoever logs in by other means. */
  passwordHash: string | null;
  platformAdmin: boolean;
  /** Whether the address is known to be theirs. */
  emailVerified: boolean;
  via: AccountOrigin;
}

/** Accounts: each comes with a personal team, which its owner owns. */
@Injectable()
export class UsersService {
  constructor(
    private readonly directory: UserDirectory,
    private readonly teams: TeamsService,
    private readonly passwords: PasswordHasher,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
  ) {}

  /** Creates a user and their personal team, together or not at all. */
  async open(request: AccountRequest, via: AccountOrigin = 'administrator'): Promise<OpenedAccount> {
    const fault = request.password === undefined ? undefined : passwordFault(request.password, request.email);
    if (fault) throw invalidRequest([fault]);
    const password = request.password ?? generatePassword();
    const passwordHash = await this.passwords.hash(password);
    const { email, platformAdmin = false } = request;
    const user = await this.transactions.run((tx) => this.create(tx, { email, passwordHash, platformAdmin, emailVerified: false, via }));
    return request.password === undefined ? { user, initialPassword: password } : { user };
  }

  /** The same inside the caller's transaction. Throws `EMAIL_TAKEN`. */
  async create(tx: Transaction, account: NewAccount): Promise<User> {
    const { email, passwordHash, platformAdmin, emailVerified, via } = account;
    const verified = emailVerified ? { emailVerifiedAt: new Date() } : {};
    const user = await this.directory.add(tx, { email, passwordHash, platformAdmin, ...verified });
    await this.teams.createPersonal(tx, user);
    await this.audit.record(tx, {
      action: 'user.created',
      subject: { type: 'user', id: user.id, name: user.email },
      after: { email: user.email, platformAdmin },
      details: { via },
    });
    return user;
  }

  list(actor: Actor, page: PageQuery): Promise<Page<User>> {
    return this.directory.page(actor, page);
  }

  async get(actor: Actor, userId: string): Promise<User> {
    return authorize(actor, 'read', 'User', await this.directory.find(userId), { what: 'user', id: userId });
  }
}
