import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { type Transporter, createTransport } from 'nodemailer';
import { DomainError } from '../common/domain-error.js';
import { Config } from '../config/config.js';
import { HandleJob } from '../queue/job.js';
import { Envelopes, placeOf } from '../vault/envelopes.js';
import type { Mail } from './mail.js';
import { sendMail } from './mail-queue.js';

/** nodemailer waits for two minutes by itself. */
const TIMEOUT_MS = 20_000;

/** Sends what is in the mail queue over SMTP; a mail server that is away is tried again for half an hour. */
@Injectable()
export class MailJobs implements OnApplicationShutdown {
  private readonly logger = new Logger(MailJobs.name);
  private transport: Transporter | undefined;

  constructor(
    private readonly envelopes: Envelopes,
    private readonly config: Config,
  ) {}

  @HandleJob(sendMail)
  async send({ id, sealed }: { id: string; sealed: string }): Promise<void> {
    const mail = JSON.parse(await this.envelopes.decrypt(placeOf('mail', id), Buffer.from(sealed, 'base64'))) as Mail;
    // The same id with each attempt, so that a mail server can tell a repetition.
    const messageId = `<${id}@${new URL(this.config.publicUrl).hostname}>`;
    await this.connected().sendMail({ from: this.config.mailFrom, messageId, ...mail });
    this.logger.log(`Sent the mail ${id}`);
  }

  onApplicationShutdown(): void {
    this.transport?.close();
  }

  private connected(): Transporter {
    if (this.transport) return this.transport;
    if (this.config.smtpUrl === undefined) {
      throw new DomainError('unavailable', 'MAIL_NOT_CONFIGURED', 'There is a mail to send, but HITHE_SMTP_URL is not set.', {
        fix: 'Set HITHE_SMTP_URL in the workers too.',
      });
    }
    this.transport = createTransport(withTimeouts(this.config.smtpUrl), { disableFileAccess: true, disableUrlAccess: true });
    return this.transport;
  }
}

/** Options of the connection travel in the URL's query, where the operator may set others, such as requireTLS=true. */
function withTimeouts(smtpUrl: string): string {
  const url = new URL(smtpUrl);
  for (const name of ['connectionTimeout', 'greetingTimeout', 'socketTimeout']) {
    if (!url.searchParams.has(name)) url.searchParams.set(name, String(TIMEOUT_MS));
  }
  return url.href;
}
