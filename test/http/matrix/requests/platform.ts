import type { RouteCases } from '../route-case.js';

/** Health, the catalogue, and nodes. */
export const PLATFORM_ROUTES: RouteCases = {
  getHealth: { rule: { kind: 'public' }, send: () => ({ path: '/api/v1/health' }) },
  getLiveness: { rule: { kind: 'public' }, send: () => ({ path: '/api/v1/health/live' }) },
  getReadiness: { rule: { kind: 'public' }, send: () => ({ path: '/api/v1/health/ready' }) },
  getProjectSchema: { rule: { kind: 'public' }, send: () => ({ path: '/api/v1/schemas/project' }) },
  listPorts: { rule: { kind: 'own' }, send: () => ({ path: '/api/v1/ports' }) },
  getPort: { rule: { kind: 'own' }, send: () => ({ path: '/api/v1/ports/postgres' }) },
  listNodes: { rule: { kind: 'row', row: 'platform', action: 'read', of: 'platform' }, send: () => ({ path: '/api/v1/nodes' }) },
  getNode: {
    rule: { kind: 'row', row: 'platform', action: 'read', of: 'platform' },
    send: (stage) => ({ path: `/api/v1/nodes/${stage.platform.nodeId}` }),
  },
  getNodeSource: { rule: { kind: 'node' }, send: () => ({ path: `/api/v1/node/sources/sha256-${'0'.repeat(64)}` }) },
};
