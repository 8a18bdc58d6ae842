import { Injectable } from '@nestjs/common';
import type { Actor } from '../../auth/actor.js';
import type { ClientInfo } from '../../auth/sessions/client-info.js';
import { Throttle } from '../../auth/throttle/throttle.js';
import { DomainError, notFound } from '../../common/domain-error.js';
import { Config } from '../../config/config.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import { MailQueue } from '../../mail/mail-queue.js';
import { UserAccounts } from '../users/user-accounts.js';
import { passwordChangedMail } from './account-mails.js';
import { type NewPasswordResult, NewPasswords, currentPasswordWrong } from './new-passwords.js';

/** The password of whoever is logged in. */
@Injectable()
export class MyPasswordService {
  constructor(
    private readonly accounts: UserAccounts,
    private readonly newPasswords: NewPasswords,
    private readonly throttle: Throttle,
    private readonly transactions: TransactionRunner,
    private readonly mails: MailQueue,
    private readonly config: Config,
  ) {}

  /**
   * Changes it, if the current one is right; ends all other sessions. Throws `CURRENT_PASSWORD_WRONG`, `PASSWORD_NOT_SET`,
   * `TOO_MANY_ATTEMPTS`.
   */
  async change(actor: Actor, current: string, wanted: string, client: ClientInfo): Promise<NewPasswordResult> {
    const attempt = { address: client.address, account: actor.userId };
    await this.throttle.count('password-change', attempt);
    const user = await this.transactions.run((tx) => this.accounts.find(tx, actor.userId));
    if (!user) throw notFound('user', actor.userId);
    if (user.passwordHash === null) throw notSet();
    if (!(await this.newPasswords.matches(user.passwordHash, current))) throw currentPasswordWrong(user);
    const hash = await this.newPasswords.hashOf(wanted, user.email, 'newPassword');
    const result = await this.transactions.run(async (tx) => {
      const locked = await this.accounts.lock(tx, user.id);
      // Somebody else who knew the password has been faster.
      if (locked?.passwordHash !== user.passwordHash) throw currentPasswordWrong(user);
      await this.mails.enqueue(tx, passwordChangedMail(user.email, this.config.publicUrl));
      const keep = actor.credential.kind === 'session' ? { keep: actor.credential.sessionId } : {};
      return this.newPasswords.put(tx, locked, hash, { action: 'password.changed', ...keep });
    });
    await this.throttle.forget('password-change', attempt);
    return result;
  }
}

function notSet(): DomainError {
  return new DomainError('conflict', 'PASSWORD_NOT_SET', 'This account has no password: you log in by other means.', {
    fix: 'To have one, ask for a link to reset it.',
  });
}
