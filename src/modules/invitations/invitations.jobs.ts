import { Injectable } from '@nestjs/common';
import { HandleJob, defineJob } from '../../queue/job.js';
import { Invitations } from './invitations.js';

/** Once a day: drops invitations that were closed or have expired long ago. */
export const forgetOldInvitations = defineJob<Record<string, never>>('invitations.forget-old', { schedule: '37 4 * * *' });

/** Housekeeping of invitations. */
@Injectable()
export class InvitationsJobs {
  constructor(private readonly invitations: Invitations) {}

  @HandleJob(forgetOldInvitations)
  async forget(): Promise<void> {
    await this.invitations.forgetOld();
  }
}
