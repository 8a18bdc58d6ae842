import type { RouteCases } from '../route-case.js';

/** Deployments and logs. */
export const DEPLOYMENT_ROUTES: RouteCases = {
  createDeployment: {
    rule: { kind: 'row', row: 'deploy', action: 'deploy', of: 'project' },
    send: async (stage, _caller, shielded) => ({
      path: `/api/v1/projects/${(await stage.freshProject(shielded)).id}/deployments`,
      body: { kind: 'deploy' },
    }),
  },
  listDeployments: {
    rule: { kind: 'row', row: 'logs', action: 'read', of: 'project' },
    send: (stage) => ({ path: `/api/v1/projects/${stage.project.id}/deployments` }),
  },
  getDeployment: {
    rule: { kind: 'row', row: 'logs', action: 'read', of: 'project' },
    send: async (stage) => ({ path: `/api/v1/deployments/${(await stage.freshDeployment(false)).id}` }),
  },
  cancelDeployment: {
    rule: { kind: 'row', row: 'deploy', action: 'deploy', of: 'project' },
    send: async (stage, _caller, shielded) => ({
      path: `/api/v1/deployments/${(await stage.freshDeployment(shielded)).id}/cancel`,
    }),
    // The scripted node is quick: it may be over, or live, by then.
    letThrough: [409],
  },
  streamDeploymentEvents: {
    rule: { kind: 'row', row: 'logs', action: 'read', of: 'project' },
    send: async (stage) => ({ path: `/api/v1/deployments/${(await stage.freshDeployment(false)).id}/events` }),
  },
  readLogs: {
    rule: { kind: 'row', row: 'logs', action: 'read-logs', of: 'project' },
    send: (stage) => ({ path: `/api/v1/projects/${stage.project.id}/logs` }),
  },
};
