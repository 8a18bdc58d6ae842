import { Global, Module } from '@nestjs/common';
import { MailJobs } from './mail.jobs.js';
import { MailQueue } from './mail-queue.js';

/** Mail to people. */
@Global()
@Module({ providers: [MailQueue, MailJobs], exports: [MailQueue] })
export class MailModule {}
