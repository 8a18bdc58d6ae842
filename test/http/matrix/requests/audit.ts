import type { RouteCase, RouteCases } from '../route-case.js';
import type { Stage } from '../stage.js';

const reads: RouteCase['rule'] = { kind: 'row', row: 'audit', action: 'read', of: 'team' };
const ofPlatform: RouteCase['rule'] = { kind: 'row', row: 'platform', action: 'manage', of: 'platform' };

/** An event of the team that its developer has caused, which is the one that every reader may read. */
async function eventOfDeveloper(stage: Stage): Promise<string> {
  const name = stage.name('audited');
  const spec = { name, components: { cache: { port: 'valkey', version: '8' } } };
  await stage.as(stage.people.developer, 'PUT', `/api/v1/teams/${stage.teamId}/projects/${name}`, { spec });
  const { items } = await stage.asOwner<{ items: { id: string }[] }>('GET', `/api/v1/audit/events?subject=${name}`);
  return items[0]?.id ?? '';
}

/** The audit log. */
export const AUDIT_ROUTES: RouteCases = {
  listAuditEvents: { rule: reads, send: (stage) => ({ path: `/api/v1/audit/events?teamId=${stage.teamId}` }) },
  getAuditEvent: {
    rule: reads,
    refused: 'hidden',
    send: async (stage) => ({ path: `/api/v1/audit/events/${await eventOfDeveloper(stage)}` }),
  },
  followAuditEvents: { rule: reads, send: (stage) => ({ path: `/api/v1/audit/follow?teamId=${stage.teamId}` }) },
  exportAuditEvents: {
    rule: { kind: 'row', row: 'audit', action: 'export', of: 'team' },
    send: (stage) => ({ path: `/api/v1/audit/export?teamId=${stage.teamId}` }),
  },
  // Public keys, for whoever may read any event: everybody owns a team.
  getAuditKeys: { rule: { kind: 'own' }, send: () => ({ path: '/api/v1/audit/keys' }) },
  verifyAudit: { rule: ofPlatform, send: () => ({ path: '/api/v1/audit/verify', body: {} }) },
  listAuditArchives: { rule: ofPlatform, send: () => ({ path: '/api/v1/audit/archives' }) },
  // There is nothing as old as that.
  createAuditArchive: {
    rule: ofPlatform,
    letThrough: [409],
    send: () => ({ path: '/api/v1/audit/archives', body: { before: '2000-01-01T00:00:00Z' } }),
  },
};
