import type { RouteCase, RouteCases } from '../route-case.js';

const ofTeam = (suffix: string): RouteCase => ({
  rule: { kind: 'row', row: 'team', action: 'read', of: 'team' },
  send: (stage) => ({ path: `/api/v1/teams/${stage.teamId}${suffix}` }),
});
const ofPlatform = (path: string, body?: object): RouteCase => ({
  rule: { kind: 'row', row: 'platform', action: 'manage', of: 'platform' },
  send: () => ({ path: `/api/v1${path}`, ...(body === undefined ? {} : { body }) }),
});

/** What teams may have, and what they used. */
export const QUOTA_ROUTES: RouteCases = {
  getTeamQuota: ofTeam('/quota'),
  setTeamQuota: {
    rule: { kind: 'row', row: 'platform', action: 'manage-quota', of: 'team' },
    send: (stage) => ({ path: `/api/v1/teams/${stage.teamId}/quota`, body: {} }),
  },
  getQuotaDefaults: ofPlatform('/platform/quota-defaults'),
  setQuotaDefaults: ofPlatform('/platform/quota-defaults', {}),
  getTeamUsage: ofTeam('/usage'),
  exportTeamUsage: ofTeam('/usage/export'),
  getUsage: ofPlatform('/usage'),
  exportUsage: ofPlatform('/usage/export'),
};
