import { Webhook } from 'standardwebhooks';
import type { Caller, RouteCase, RouteCases, Sent } from '../route-case.js';
import type { Stage } from '../stage.js';
import type { TestUser } from '../../../support/application.js';

const WISH = { name: 'matrix', scopes: ['read'] };
const managesTokens: RouteCase['rule'] = { kind: 'row', row: 'members', action: 'manage-tokens', of: 'team' };
const seesProject: RouteCase['rule'] = { kind: 'row', row: 'logs', action: 'read', of: 'project' };
const deploys: Pick<RouteCase, 'rule' | 'sessionOnly'> = {
  rule: { kind: 'row', row: 'deploy', action: 'deploy', of: 'project' },
  sessionOnly: true,
};

/** The person behind a caller, with their log-in. */
function personBehind(stage: Stage, caller: Caller): TestUser {
  return Object.values(stage.people).find((person) => person.id === caller.userId) ?? stage.stranger;
}

const accounts = (stage: Stage): string => `/api/v1/teams/${stage.teamId}/service-accounts`;
const freshAccount = (stage: Stage): Promise<{ id: string }> =>
  stage.asOwner('POST', accounts(stage), { name: stage.name('account'), role: 'viewer' });

const shared = new WeakMap<Stage, Promise<{ id: string }>>();
/** One account for all that does not use it up: a team has no more than fifty. */
function sharedAccount(stage: Stage): Promise<{ id: string }> {
  const account = shared.get(stage) ?? freshAccount(stage);
  shared.set(stage, account);
  return account;
}

interface Hook {
  path: string;
  id: string;
  secret: string;
}
async function freshHook(stage: Stage, shielded: boolean): Promise<Hook> {
  const project = await stage.freshProject(shielded);
  const path = `/api/v1/projects/${project.id}/hooks`;
  const { id, secret } = await stage.asOwner<{ id: string; secret: string }>('POST', path, { name: 'hook', kind: 'deploy' });
  return { path: `${path}/${id}`, id, secret };
}

function signed({ id, secret }: Hook, message: string): Sent {
  const at = new Date();
  return {
    path: `/api/v1/hooks/${id}`,
    headers: {
      'webhook-id': message,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': new Webhook(secret).sign(message, at, '{}'),
    },
    body: {},
  };
}

/** API tokens, service accounts and deploy hooks. */
export const TOKEN_ROUTES: RouteCases = {
  listScopes: { rule: { kind: 'own' }, send: () => ({ path: '/api/v1/scopes' }) },
  createMyToken: { rule: { kind: 'own' }, send: () => ({ path: '/api/v1/me/tokens', body: WISH }) },
  listMyTokens: { rule: { kind: 'own' }, send: () => ({ path: '/api/v1/me/tokens' }) },
  revokeMyToken: {
    rule: { kind: 'own' },
    send: async (stage, caller) => {
      const { id } = await stage.as<{ id: string }>(personBehind(stage, caller), 'POST', '/api/v1/me/tokens', WISH);
      return { path: `/api/v1/me/tokens/${id}` };
    },
  },
  listTeamTokens: { rule: managesTokens, send: (stage) => ({ path: `/api/v1/teams/${stage.teamId}/tokens` }) },
  revokeTeamToken: {
    rule: managesTokens,
    send: async (stage) => {
      const { id } = await stage.asOwner<{ id: string }>('POST', '/api/v1/me/tokens', { ...WISH, teamId: stage.teamId });
      return { path: `/api/v1/teams/${stage.teamId}/tokens/${id}` };
    },
  },
  createServiceAccount: {
    rule: managesTokens,
    send: (stage) => ({ path: accounts(stage), body: { name: stage.name('account'), role: 'viewer' } }),
  },
  listServiceAccounts: { rule: { kind: 'row', row: 'team', action: 'read', of: 'team' }, send: (stage) => ({ path: accounts(stage) }) },
  updateServiceAccount: {
    rule: managesTokens,
    send: async (stage) => ({ path: `${accounts(stage)}/${(await sharedAccount(stage)).id}`, body: { role: 'viewer' } }),
  },
  deleteServiceAccount: { rule: managesTokens, send: async (stage) => ({ path: `${accounts(stage)}/${(await freshAccount(stage)).id}` }) },
  createServiceAccountToken: {
    rule: managesTokens,
    send: async (stage) => ({ path: `${accounts(stage)}/${(await sharedAccount(stage)).id}/tokens`, body: WISH }),
  },
  listServiceAccountTokens: {
    rule: managesTokens,
    send: async (stage) => ({ path: `${accounts(stage)}/${(await sharedAccount(stage)).id}/tokens` }),
  },
  revokeServiceAccountToken: {
    rule: managesTokens,
    send: async (stage) => {
      const path = `${accounts(stage)}/${(await sharedAccount(stage)).id}/tokens`;
      const { id } = await stage.asOwner<{ id: string }>('POST', path, WISH);
      return { path: `${path}/${id}` };
    },
  },
  createHook: {
    ...deploys,
    send: async (stage, _caller, shielded) => ({
      path: `/api/v1/projects/${(await stage.freshProject(shielded)).id}/hooks`,
      body: { name: 'hook', kind: 'deploy' },
    }),
  },
  listHooks: {
    rule: seesProject,
    send: (stage, _caller, shielded) => ({ path: `/api/v1/projects/${stage.projectOf(shielded).id}/hooks` }),
  },
  updateHook: {
    ...deploys,
    send: async (stage, _caller, shielded) => ({ path: (await freshHook(stage, shielded)).path, body: { enabled: false } }),
  },
  rotateHookSecret: {
    ...deploys,
    send: async (stage, _caller, shielded) => ({ path: `${(await freshHook(stage, shielded)).path}/secret` }),
  },
  deleteHook: { ...deploys, send: async (stage, _caller, shielded) => ({ path: (await freshHook(stage, shielded)).path }) },
  listHookDeliveries: {
    rule: seesProject,
    send: async (stage, _caller, shielded) => ({ path: `${(await freshHook(stage, shielded)).path}/deliveries` }),
  },
  deliverToHook: { rule: { kind: 'public' }, send: async (stage) => signed(await freshHook(stage, false), stage.name('message')) },
};
