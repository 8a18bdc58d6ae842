import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import { MailQueue } from '../../mail/mail-queue.js';
import { HandleJob, defineJob } from '../../queue/job.js';
import { AuditLog } from '../audit/audit-log.js';
import { UserDirectory } from '../users/user-directory.js';
import { resetMail } from './account-mails.js';
import { linkOf } from './links.js';
import { PasswordResets } from './password-resets.js';

/** Mails a link to reset the password, if there is such an account. */
export const mailResetLink = defineJob<{ email: string }>('accounts.mail-reset-link', { retryLimit: 3, expireIn: 60 });

/** Once an hour: drops links and sign-ups that have expired. */
export const forgetOldLinks = defineJob<Record<string, never>>('accounts.forget-old-links', { schedule: '29 * * * *' });

/** What is done for accounts without anybody waiting for it. */
@Injectable()
export class AccountsJobs {
  constructor(
    private readonly users: UserDirectory,
    private readonly resets: PasswordResets,
    private readonly mails: MailQueue,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
    private readonly config: Config,
  ) {}

  @HandleJob(mailResetLink)
  async mailResetLink({ email }: { email: string }): Promise<void> {
    const user = await this.users.findByEmail(email);
    if (user?.disabledAt !== null) return;
    await this.transactions.run(async (tx) => {
      const { token } = await this.resets.issue(tx, user.id);
      await this.mails.enqueue(tx, resetMail(user.email, linkOf(this.config.publicUrl, 'password-reset', token)));
      await this.audit.record(tx, {
        action: 'password.reset-requested',
        subject: { type: 'user', id: user.id, name: user.email },
        details: { by: 'mail' },
      });
    });
  }

  @HandleJob(forgetOldLinks)
  async forgetOld(): Promise<void> {
    await this.resets.forgetOld();
    await this.transactions.statement('DELETE FROM sign_ups WHERE expires_at < now()', []);
  }
}
