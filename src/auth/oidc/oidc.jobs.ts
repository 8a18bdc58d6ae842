import { Injectable } from '@nestjs/common';
import { HandleJob, defineJob } from '../../queue/job.js';
import { OidcFlow } from './oidc-flow.js';

/** Once an hour: drops log-ins at the provider that nobody finished. */
export const forgetOldOidcLogins = defineJob<Record<string, never>>('auth.forget-old-oidc-log-ins', { schedule: '47 * * * *' });

/** Housekeeping of log-ins at the provider. */
@Injectable()
export class OidcJobs {
  constructor(private readonly flow: OidcFlow) {}

  @HandleJob(forgetOldOidcLogins)
  async forget(): Promise<void> {
    await this.flow.forgetOld();
  }
}
