import { Injectable } from '@nestjs/common';
import { HandleJob, defineJob } from '../../queue/job.js';
import { HookJournal } from './hook-journal.js';

/** Once an hour: drops old deliveries. */
export const forgetDeliveries = defineJob<Record<string, never>>('hooks.forget-deliveries', { schedule: '37 * * * *' });

/** Housekeeping of hooks. */
@Injectable()
export class HooksJobs {
  constructor(private readonly journal: HookJournal) {}

  @HandleJob(forgetDeliveries)
  async forget(): Promise<void> {
    await this.journal.forgetOld();
  }
}
