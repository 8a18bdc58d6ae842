import { defineJob } from '../../queue/job.js';

/** `activate`: the generation that a rotation made, unless that is the active one by now. */
export interface RewrapDataKeys {
  activate?: string;
}

/** Wraps all data keys by the active platform key. Runs after a rotation, and each hour in case that another replica wrote with an older one. */
export const rewrapDataKeys = defineJob<RewrapDataKeys>('platform-keys.rewrap', {
  serial: true,
  retryLimit: 10,
  expireIn: 300,
  schedule: '17 * * * *',
});
