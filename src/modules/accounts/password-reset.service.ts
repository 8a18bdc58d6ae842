import { Injectable } from '@nestjs/common';
import type { Actor } from '../../auth/actor.js';
import type { ClientInfo } from '../../auth/sessions/client-info.js';
import { Throttle } from '../../auth/throttle/throttle.js';
import { asSystem } from '../../common/request-context.js';
import { Config } from '../../config/config.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import { MailQueue } from '../../mail/mail-queue.js';
import { JobQueue } from '../../queue/job-queue.js';
import { AuditLog } from '../audit/audit-log.js';
import { UserAccounts } from '../users/user-accounts.js';
import { UserAdministration } from '../users/user-administration.service.js';
import { resetMail } from './account-mails.js';
import { mailResetLink } from './accounts.jobs.js';
import { linkInvalid, linkOf } from './links.js';
import { type NewPasswordResult, NewPasswords } from './new-passwords.js';
import { PasswordResets } from './password-resets.js';

/** A link that an administrator made for somebody. */
export interface ResetLink {
  link: string;
  expiresAt: Date;
  /** Whether it was also sent to the user. */
  mailed: boolean;
}

/** Links for administrators to hand out, or for people to be sent, by which a password can be chosen without the one before. */
@Injectable()
export class PasswordResetLinks {
  constructor(
    private readonly users: UserAdministration,
    private readonly resets: PasswordResets,
    private readonly mails: MailQueue,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
    private readonly config: Config,
  ) {}

  /** Makes a link for another user; the one before works no more. */
  async make(actor: Actor, userId: string): Promise<ResetLink> {
    const user = await this.users.require(actor, userId, 'update');
    return this.transactions.run(async (tx) => {
      const { token, expiresAt } = await this.resets.issue(tx, user.id);
      const link = linkOf(this.config.publicUrl, 'password-reset', token);
      const mailed = await this.mails.enqueue(tx, resetMail(user.email, link));
      await this.audit.record(tx, {
        action: 'password.reset-requested',
        subject: { type: 'user', id: user.id, name: user.email },
        details: { by: 'administrator', mailed },
      });
      return { link, expiresAt, mailed };
    });
  }
}

/** Password resets by people themselves. */
@Injectable()
export class PasswordResetService {
  constructor(
    private readonly accounts: UserAccounts,
    private readonly newPasswords: NewPasswords,
    private readonly resets: PasswordResets,
    private readonly throttle: Throttle,
    private readonly transactions: TransactionRunner,
    private readonly queue: JobQueue,
    private readonly mails: MailQueue,
  ) {}

  /**
   * Asks for a link by mail. What is done here is the same whether there is such an account or not: a job finds out. Returns
   * whether this installation sends mail at all.
   */
  async request(email: string, client: ClientInfo): Promise<boolean> {
    await this.throttle.count('reset-request', { address: client.address, account: email });
    if (!this.mails.configured) return false;
    await this.queue.enqueue(mailResetLink, { email });
    return true;
  }

  /** Sets the password of whoever the token was made for, and ends all their sessions. Throws `LINK_INVALID`. */
  async confirm(token: string, password: string, client: ClientInfo): Promise<NewPasswordResult> {
    await this.throttle.count('token-confirm', client);
    const userId = await this.resets.userOf(token);
    const user = userId === null ? null : await this.transactions.run((tx) => this.accounts.find(tx, userId));
    if (!user) throw linkInvalid();
    const hash = await this.newPasswords.hashOf(password, user.email, 'password');
    const result = await asSystem('password-resets', () =>
      this.transactions.run(async (tx) => {
        if (!(await this.resets.spend(tx, token))) throw linkInvalid();
        const locked = await this.accounts.lock(tx, user.id);
        if (!locked) throw linkInvalid();
        return this.newPasswords.put(tx, locked, hash, { action: 'password.reset', actor: { userId: user.id, email: user.email } });
      }),
    );
    await this.throttle.forget('token-confirm', client);
    await this.throttle.forget('log-in', { address: client.address, account: user.email });
    return result;
  }
}
