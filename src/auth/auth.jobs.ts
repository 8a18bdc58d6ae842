import { Injectable } from '@nestjs/common';
import { HandleJob, defineJob } from '../queue/job.js';
import { Throttle } from './throttle/throttle.js';
import { Sessions } from './sessions/sessions.js';

/** Once an hour: drops sessions and counters that can no longer matter. */
export const forgetOldSessions = defineJob<Record<string, never>>('auth.forget-old-sessions', { schedule: '23 * * * *' });

/** Housekeeping of log-ins. */
@Injectable()
export class AuthJobs {
  constructor(
    private readonly sessions: Sessions,
    private readonly throttle: Throttle,
  ) {}

  @HandleJob(forgetOldSessions)
  async forget(): Promise<void> {
    await this.sessions.forgetOld();
    await this.throttle.forgetOld();
  }
}
