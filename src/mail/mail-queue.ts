import { Injectable } from '@nestjs/common';
import { newId } from '../common/ids.js';
import type { Transaction } from '../common/transaction.js';
import { Config } from '../config/config.js';
import { JobQueue } from '../queue/job-queue.js';
import { defineJob } from '../queue/job.js';
import { Envelopes, placeOf } from '../vault/envelopes.js';
import type { Mail } from './mail.js';

/** Hands one mail to the mail server. Mails hold links that work once, so they wait in the queue sealed. */
export const sendMail = defineJob<{ id: string; sealed: string }>('mail.send', {
  retryLimit: 8,
  retryDelay: 5,
  expireIn: 120,
  concurrency: 2,
});

/** Where mails are left to be sent. */
@Injectable()
export class MailQueue {
  constructor(
    private readonly queue: JobQueue,
    private readonly envelopes: Envelopes,
    private readonly config: Config,
  ) {}

  /** Whether this installation can send mail at all (`HITHE_SMTP_URL`). */
  get configured(): boolean {
    return this.config.smtpUrl !== undefined;
  }

  /** Sends the mail once the transaction has committed; does nothing where no mail server is configured. Returns whether it will. */
  async enqueue(tx: Transaction, mail: Mail): Promise<boolean> {
    if (!this.configured) return false;
    const id = newId();
    const sealed = await this.envelopes.encrypt(placeOf('mail', id), JSON.stringify(mail));
    await this.queue.enqueue(sendMail, { id, sealed: sealed.toString('base64') }, { tx });
    return true;
  }
}
