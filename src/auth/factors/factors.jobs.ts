import { Injectable } from '@nestjs/common';
import { HandleJob, defineJob } from '../../queue/job.js';
import { LoginChallenges } from './login-challenges.js';
import { WebauthnChallenges } from './webauthn-challenges.js';

/** Once an hour: drops challenges that nobody answered in time. */
export const forgetOldChallenges = defineJob<Record<string, never>>('auth.forget-old-challenges', { schedule: '41 * * * *' });

/** Housekeeping of second factors. */
@Injectable()
export class FactorsJobs {
  constructor(
    private readonly logins: LoginChallenges,
    private readonly ceremonies: WebauthnChallenges,
  ) {}

  @HandleJob(forgetOldChallenges)
  async forget(): Promise<void> {
    await this.logins.forgetOld();
    await this.ceremonies.forgetOld();
  }
}
