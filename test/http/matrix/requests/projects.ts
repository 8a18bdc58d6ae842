import type { RouteCase, RouteCases } from '../route-case.js';
import { specOf } from '../stage.js';

const reads = (suffix: string): RouteCase => ({
  rule: { kind: 'row', row: 'logs', action: 'read', of: 'project' },
  send: (stage, _caller, shielded) => ({ path: `/api/v1/projects/${stage.projectOf(shielded).id}${suffix}` }),
});

/** Projects, their specifications and sources. */
export const PROJECT_ROUTES: RouteCases = {
  applyProject: {
    rule: { kind: 'row', row: 'deploy', action: 'update', of: 'project' },
    send: (stage, _caller, shielded) => {
      const { name } = stage.projectOf(shielded);
      return { path: `/api/v1/teams/${stage.teamId}/projects/${name}`, body: { spec: specOf(name) } };
    },
  },
  listProjects: {
    rule: { kind: 'own' },
    send: () => ({ path: '/api/v1/projects?limit=100' }),
    shows: { row: 'logs', action: 'read', id: (stage) => stage.project.id },
  },
  getProject: reads(''),
  getProjectStatus: reads('/status'),
  getProjectHealth: reads('/health'),
  uploadSource: {
    rule: { kind: 'row', row: 'deploy', action: 'update', of: 'team' },
    send: (stage) => ({ path: `/api/v1/teams/${stage.teamId}/sources`, raw: stage.archive() }),
  },
  planProject: {
    rule: { kind: 'row', row: 'deploy', action: 'update', of: 'project' },
    send: (stage, _caller, shielded) => ({
      path: `/api/v1/teams/${stage.teamId}/plan`,
      body: { spec: specOf(stage.projectOf(shielded).name) },
    }),
  },
  deleteProject: {
    rule: { kind: 'row', row: 'projects', action: 'delete', of: 'project' },
    send: async (stage, _caller, shielded) => {
      const { id, name } = await stage.freshProject(shielded);
      return { path: `/api/v1/projects/${id}?confirm=${name}` };
    },
  },
};
