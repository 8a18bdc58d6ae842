import type { RouteCase, RouteCases } from '../route-case.js';
import type { Stage } from '../stage.js';

const NAME = 'API_KEY';
const path = (id: string, suffix = ''): string => `/api/v1/projects/${id}/variables${suffix}`;

/** A project with a variable. */
async function withVariable(stage: Stage, shielded: boolean): Promise<string> {
  const { id } = await stage.freshProject(shielded);
  await stage.asOwner('PUT', path(id), { variables: [{ name: NAME, value: 'a value of the matrix' }] });
  return id;
}

const writes = (suffix: string, body: object): RouteCase => ({
  rule: { kind: 'row', row: 'set-secrets', action: 'write-secrets', of: 'project' },
  send: (stage, _caller, shielded) => ({ path: path(stage.projectOf(shielded).id, suffix), body }),
});
const reveals = (suffix: string): RouteCase => ({
  rule: { kind: 'row', row: 'reveal-secrets', action: 'reveal-secrets', of: 'project' },
  send: (stage, _caller, shielded) => ({ path: path(stage.projectOf(shielded).id, suffix), body: {} }),
});
const platform = (suffix: string, action: 'read' | 'manage'): RouteCase => ({
  rule: { kind: 'row', row: 'platform', action, of: 'platform' },
  send: () => ({ path: `/api/v1/platform/keys${suffix}` }),
});

/** Variables, and the keys that wrap their secrets. */
export const VARIABLE_ROUTES: RouteCases = {
  listVariables: {
    rule: { kind: 'row', row: 'logs', action: 'read', of: 'project' },
    send: (stage, _caller, shielded) => ({ path: path(stage.projectOf(shielded).id) }),
  },
  setVariables: writes('', { variables: [{ name: NAME, value: 'a value' }] }),
  removeVariable: {
    rule: { kind: 'row', row: 'set-secrets', action: 'write-secrets', of: 'project' },
    send: async (stage, _caller, shielded) => ({ path: path(await withVariable(stage, shielded), `/${NAME}`) }),
  },
  listVariableVersions: {
    rule: { kind: 'row', row: 'logs', action: 'read', of: 'project' },
    send: async (stage, _caller, shielded) => ({ path: path(await withVariable(stage, shielded), `/${NAME}/history`) }),
  },
  importVariables: writes('/import', { text: 'LEVEL=debug\n' }),
  revealVariables: reveals('/reveal'),
  exportVariables: reveals('/export'),
  listPlatformKeys: platform('', 'manage'),
  rotatePlatformKey: platform('/rotate', 'manage'),
  // Right after a rotation old keys still wrap something.
  retirePlatformKeys: { ...platform('/retire', 'manage'), letThrough: [409] },
};
