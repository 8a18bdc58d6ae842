import type { RouteCase, RouteCases } from '../route-case.js';
import type { Stage } from '../stage.js';
import { PASSWORD, proved } from './proof.js';

const RULES = [{ action: ['read'], subject: 'Project' }];
const ownRow: RouteCase['rule'] = { kind: 'own' };
const seesTeam: RouteCase['rule'] = { kind: 'row', row: 'team', action: 'read', of: 'team' };
const managesRoles: RouteCase['rule'] = { kind: 'row', row: 'members', action: 'manage-roles', of: 'team' };
const managesMembers: RouteCase['rule'] = { kind: 'row', row: 'members', action: 'manage-members', of: 'team' };

/** Another team with the same people in the same roles, for what changes a team as a whole. */
async function freshTeam(stage: Stage): Promise<{ id: string; slug: string }> {
  const team = await stage.asOwner<{ id: string; slug: string }>('POST', '/api/v1/teams', { name: stage.name('team') });
  for (const role of ['admin', 'developer', 'viewer', 'auditor'] as const)
    await stage.asOwner('PUT', `/api/v1/teams/${team.id}/members`, { email: stage.people[role].email, role });
  return team;
}

const freshRole = (stage: Stage): Promise<{ id: string }> =>
  stage.asOwner('POST', `/api/v1/teams/${stage.teamId}/roles`, { name: stage.name('role'), rules: RULES });

async function brokenGlass(stage: Stage): Promise<{ teamId: string; id: string }> {
  const { id: teamId } = await freshTeam(stage);
  const body = { reason: 'For the sake of this test.', minutes: 1 };
  await stage.asPlatformAdmin('POST', '/api/v1/me/reauthenticate', { password: PASSWORD });
  const { id } = await stage.asPlatformAdmin<{ id: string }>('POST', `/api/v1/teams/${teamId}/break-glass`, body);
  return { teamId, id };
}

/** Teams, their members, their roles, and broken glass. */
export const TEAM_ROUTES: RouteCases = {
  createTeam: { rule: ownRow, send: (stage) => ({ path: '/api/v1/teams', body: { name: stage.name('team') } }) },
  listTeams: {
    rule: ownRow,
    send: () => ({ path: '/api/v1/teams?limit=200' }),
    shows: { row: 'team', action: 'read', id: (stage) => stage.teamId },
  },
  getTeam: { rule: seesTeam, send: (stage) => ({ path: `/api/v1/teams/${stage.teamId}` }) },
  updateTeam: {
    rule: { kind: 'row', row: 'team-settings', action: 'update', of: 'team' },
    send: (stage) => ({ path: `/api/v1/teams/${stage.teamId}`, body: { name: stage.name('Stage') } }),
  },
  deleteTeam: {
    rule: { kind: 'row', row: 'team-ownership', action: 'delete', of: 'team' },
    send: async (stage) => {
      const { id, slug } = await freshTeam(stage);
      return { path: `/api/v1/teams/${id}?confirm=${slug}` };
    },
  },
  transferTeam: {
    rule: { kind: 'row', row: 'team-ownership', action: 'transfer', of: 'team' },
    send: async (stage) => ({ path: `/api/v1/teams/${(await freshTeam(stage)).id}/transfer`, body: { email: stage.people.viewer.email } }),
  },
  listTeamMembers: { rule: seesTeam, send: (stage) => ({ path: `/api/v1/teams/${stage.teamId}/members` }) },
  putTeamMember: {
    rule: managesMembers,
    send: async (stage) => ({
      path: `/api/v1/teams/${stage.teamId}/members`,
      body: { email: (await stage.freshMember()).email, role: 'developer' },
    }),
  },
  removeTeamMember: {
    rule: managesMembers,
    send: async (stage) => ({ path: `/api/v1/teams/${stage.teamId}/members/${(await stage.freshMember()).id}` }),
  },
  getRoleTable: { rule: ownRow, send: () => ({ path: '/api/v1/roles' }) },
  getMyPermissions: { rule: ownRow, send: () => ({ path: '/api/v1/me/permissions' }) },
  listTeamRoles: { rule: seesTeam, send: (stage) => ({ path: `/api/v1/teams/${stage.teamId}/roles` }) },
  createTeamRole: {
    rule: managesRoles,
    send: (stage) => ({ path: `/api/v1/teams/${stage.teamId}/roles`, body: { name: stage.name('role'), rules: RULES } }),
  },
  getTeamRole: {
    rule: seesTeam,
    send: async (stage) => ({ path: `/api/v1/teams/${stage.teamId}/roles/${(await freshRole(stage)).id}` }),
  },
  updateTeamRole: {
    rule: managesRoles,
    send: async (stage) => ({
      path: `/api/v1/teams/${stage.teamId}/roles/${(await freshRole(stage)).id}`,
      body: { description: 'Reads.' },
    }),
  },
  deleteTeamRole: {
    rule: managesRoles,
    send: async (stage) => ({ path: `/api/v1/teams/${stage.teamId}/roles/${(await freshRole(stage)).id}` }),
  },
  breakGlass: {
    rule: { kind: 'row', row: 'break-glass', action: 'break-glass', of: 'team' },
    send: async (stage, caller) =>
      proved(stage, caller, {
        path: `/api/v1/teams/${(await freshTeam(stage)).id}/break-glass`,
        body: { reason: 'For the sake of this test.', minutes: 1 },
      }),
  },
  listBreakGlass: {
    rule: { kind: 'row', row: 'members', action: 'manage-members', of: 'team' },
    send: (stage) => ({ path: `/api/v1/teams/${stage.teamId}/break-glass` }),
    // Whoever may break the glass may see what was broken.
    except: { 'platform-admin': 'let through' },
  },
  endBreakGlass: {
    rule: { kind: 'row', row: 'team-ownership', action: 'delete', of: 'team' },
    send: async (stage) => {
      const { teamId, id } = await brokenGlass(stage);
      return { path: `/api/v1/teams/${teamId}/break-glass/${id}` };
    },
  },
};
