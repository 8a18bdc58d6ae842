import type { RouteCases } from '../route-case.js';
import type { Stage } from '../stage.js';

async function granted(stage: Stage, projectId: string): Promise<string> {
  const { id, email } = await stage.freshMember();
  await stage.asOwner('PUT', `/api/v1/projects/${projectId}/grants`, { email, role: 'developer' });
  return id;
}

/** Roles on single projects, and their protection. */
export const GRANT_ROUTES: RouteCases = {
  listGrants: {
    rule: { kind: 'row', row: 'logs', action: 'read', of: 'project' },
    send: (stage, _caller, shielded) => ({ path: `/api/v1/projects/${stage.projectOf(shielded).id}/grants` }),
  },
  putGrant: {
    rule: { kind: 'row', row: 'members', action: 'manage-members', of: 'project' },
    send: async (stage, _caller, shielded) => ({
      path: `/api/v1/projects/${stage.projectOf(shielded).id}/grants`,
      body: { email: (await stage.freshMember()).email, role: 'developer' },
    }),
  },
  removeGrant: {
    rule: { kind: 'row', row: 'members', action: 'manage-members', of: 'project' },
    send: async (stage, _caller, shielded) => {
      const { id } = stage.projectOf(shielded);
      return { path: `/api/v1/projects/${id}/grants/${await granted(stage, id)}` };
    },
  },
  setProtection: {
    rule: { kind: 'row', row: 'protection', action: 'protect', of: 'project' },
    send: async (stage, _caller, shielded) => ({
      path: `/api/v1/projects/${(await stage.freshProject(shielded)).id}/protection`,
      body: { protected: !shielded },
    }),
  },
};
