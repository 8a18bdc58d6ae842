import { Injectable } from '@nestjs/common';
import { ApiTokens } from '../../auth/api-tokens/api-tokens.js';
import { HandleJob, defineJob } from '../../queue/job.js';

/** Once a day: drops tokens that ended long ago. */
export const forgetOldTokens = defineJob<Record<string, never>>('tokens.forget-old', { schedule: '43 3 * * *' });

/** Housekeeping of tokens. */
@Injectable()
export class TokensJobs {
  constructor(private readonly tokens: ApiTokens) {}

  @HandleJob(forgetOldTokens)
  async forget(): Promise<void> {
    await this.tokens.forgetOld();
  }
}
