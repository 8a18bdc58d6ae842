import { Injectable } from '@nestjs/common';
import { HandleJob, defineJob } from '../queue/job.js';
import { Throttle } from './throttle/throttle.js';
import { SigningKeys } from './keys/signing-keys.js';
import { Sessions } from './sessions/sessions.js';

/** Once an hour: drops sessions and counters that can no longer matter. */
export const forgetOldSessions = defineJob<Record<string, never>>('auth.forget-old-sessions', { schedule: '23 * * * *' });

/** Once an hour: looks whether a new key should sign. */
export const rotateSigningKeys = defineJob<Record<string, never>>('auth.rotate-signing-keys', { schedule: '41 * * * *' });

/** Housekeeping of log-ins. */
@Injectable()
export class AuthJobs {
  constructor(
    private readonly sessions: Sessions,
    private readonly throttle: Throttle,
    private readonly keys: SigningKeys,
  ) {}

  @HandleJob(forgetOldSessions)
  async forget(): Promise<void> {
    await this.sessions.forgetOld();
    await this.throttle.forgetOld();
  }

  @HandleJob(rotateSigningKeys)
  async rotate(): Promise<void> {
    await this.keys.rotateWhenDue();
  }
}
