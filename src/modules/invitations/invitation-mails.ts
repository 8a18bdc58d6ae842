import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../common/transaction.js';
import { Config } from '../../config/config.js';
import { MailQueue } from '../../mail/mail-queue.js';
import { invitationMail } from '../accounts/account-mails.js';
import { linkOf } from '../accounts/links.js';
import type { Invitation } from './invitation.entity.js';

/** An invitation that was just made. */
export interface InvitationLink {
  invitation: Invitation;
  /** For handing over; it is shown this once. */
  link: string;
  /** Whether it was also sent to the address. */
  mailed: boolean;
}

/** Makes the link of an invitation, and mails it where mail is sent. */
@Injectable()
export class InvitationMails {
  constructor(
    private readonly mails: MailQueue,
    private readonly config: Config,
  ) {}

  async send(
    tx: Transaction,
    { invitation, token }: { invitation: Invitation; token: string },
    from: { by: string; team?: string },
  ): Promise<InvitationLink> {
    const link = linkOf(this.config.publicUrl, 'invitation', token);
    const mailed = await this.mails.enqueue(tx, invitationMail(invitation.email, { link, expiresAt: invitation.expiresAt, ...from }));
    return { invitation, link, mailed };
  }
}
