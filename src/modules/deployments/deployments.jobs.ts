import { defineJob } from '../../queue/job.js';

/** Look at this deployment: the safety net under notifications. */
export const advanceDeployment = defineJob<{ deploymentId: string }>('deployments.advance', { concurrency: 4, expireIn: 60 });
/** Look at every deployment whose time has come. */
export const sweepDeployments = defineJob<Record<string, never>>('deployments.sweep', { schedule: '* * * * *', expireIn: 60 });
