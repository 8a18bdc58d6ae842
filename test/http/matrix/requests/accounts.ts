import type { RouteCase, RouteCases } from '../route-case.js';
import type { Stage } from '../stage.js';

const anybody: RouteCase['rule'] = { kind: 'public' };
const own: RouteCase['rule'] = { kind: 'own' };
const ofUsers = (action: 'create' | 'update' | 'delete'): RouteCase['rule'] => ({ kind: 'row', row: 'platform', action, of: 'platform' });
const ofKeys: RouteCase['rule'] = { kind: 'row', row: 'platform', action: 'manage', of: 'platform' };
const ofMembers: RouteCase['rule'] = { kind: 'row', row: 'members', action: 'manage-members', of: 'team' };

/** `TestApplication.user` gives it to everybody. */
const PASSWORD = 'a rather long passphrase';
const NOBODYS = '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55';

async function freshInvitation(stage: Stage): Promise<{ id: string; token: string }> {
  const body = { email: `${stage.name('invited')}@stage.test`, role: 'viewer' };
  const made = await stage.asOwner<{ id: string; link: string }>('POST', `/api/v1/teams/${stage.teamId}/invitations`, body);
  return { id: made.id, token: tokenOf(made.link) };
}

async function freshResetToken(stage: Stage): Promise<string> {
  const { id } = await stage.freshUser();
  return tokenOf((await stage.asPlatformAdmin<{ link: string }>('POST', `/api/v1/users/${id}/password-reset`)).link);
}

function tokenOf(link: string): string {
  return link.split('#')[1] ?? '';
}

/** Log-in, sign-up and links, for whoever has no session. */
const DOOR_ROUTES: RouteCases = {
  getAuthOptions: { rule: anybody, send: () => ({ path: '/api/v1/auth/options' }) },
  login: { rule: anybody, send: (stage) => ({ path: '/api/v1/auth/login', body: { email: stage.stranger.email, password: PASSWORD } }) },
  refreshTokens: { rule: anybody, send: () => ({ path: '/api/v1/auth/refresh', body: { refreshToken: 'hithe_rt_x' } }), letThrough: [401] },
  logout: { rule: anybody, send: () => ({ path: '/api/v1/auth/logout', body: { refreshToken: 'hithe_rt_x' } }) },
  // The installation of the matrix is by invitation only.
  signUp: {
    rule: anybody,
    send: (stage) => ({ path: '/api/v1/auth/sign-up', body: { email: `${stage.name('new')}@stage.test`, password: PASSWORD } }),
    letThrough: [403],
  },
  confirmSignUp: {
    rule: anybody,
    send: () => ({ path: '/api/v1/auth/sign-up/confirm', body: { token: 'hithe_su_x', password: PASSWORD } }),
    letThrough: [404],
  },
  // Nobody may ask often, whoever they are.
  requestPasswordReset: {
    rule: anybody,
    send: (stage) => ({ path: '/api/v1/auth/password-reset/request', body: { email: `${stage.name('forgetful')}@stage.test` } }),
    letThrough: [429],
  },
  confirmPasswordReset: {
    rule: anybody,
    send: async (stage) => ({
      path: '/api/v1/auth/password-reset/confirm',
      body: { token: await freshResetToken(stage), password: 'tulips never dance alone' },
    }),
  },
  lookUpInvitation: {
    rule: anybody,
    send: async (stage) => ({ path: '/api/v1/auth/invitations/lookup', body: { token: (await freshInvitation(stage)).token } }),
  },
  acceptInvitation: {
    rule: anybody,
    send: async (stage) => ({
      path: '/api/v1/auth/invitations/accept',
      body: { token: (await freshInvitation(stage)).token, password: PASSWORD },
    }),
  },
  getJwks: { rule: anybody, send: () => ({ path: '/api/v1/auth/jwks.json' }) },
};

/** One's own account. */
const MY_ROUTES: RouteCases = {
  getMe: { rule: own, send: () => ({ path: '/api/v1/me' }) },
  // A password that is too short, so that everybody keeps theirs.
  changePassword: {
    rule: own,
    send: () => ({ path: '/api/v1/me/password', body: { currentPassword: PASSWORD, newPassword: 'short' } }),
    letThrough: [400],
  },
  listMySessions: { rule: own, send: () => ({ path: '/api/v1/me/sessions' }) },
  revokeMyOtherSessions: { rule: own, send: () => ({ path: '/api/v1/me/sessions' }) },
  revokeMySession: { rule: own, send: () => ({ path: `/api/v1/me/sessions/${NOBODYS}` }), letThrough: [404] },
  // Members cannot be invited again, so nobody here has an invitation.
  acceptInvitationAsMe: {
    rule: own,
    send: () => ({ path: '/api/v1/me/invitations/accept', body: { token: 'hithe_in_x' } }),
    letThrough: [404],
  },
};

/** Other people's accounts, and the keys of the installation. */
const USER_ROUTES: RouteCases = {
  listUsers: { rule: own, send: () => ({ path: '/api/v1/users' }) },
  getUser: { rule: own, send: (_stage, caller) => ({ path: `/api/v1/users/${caller.userId}` }) },
  createUser: {
    rule: ofUsers('create'),
    send: (stage) => ({ path: '/api/v1/users', body: { email: `${stage.name('made')}@stage.test` } }),
  },
  changeUser: {
    rule: ofUsers('update'),
    send: async (stage) => ({ path: `/api/v1/users/${(await stage.freshUser()).id}`, body: { disabled: true } }),
  },
  deleteUser: { rule: ofUsers('delete'), send: async (stage) => ({ path: `/api/v1/users/${(await stage.freshUser()).id}` }) },
  listUserSessions: { rule: ofUsers('update'), send: (stage) => ({ path: `/api/v1/users/${stage.stranger.id}/sessions` }) },
  revokeUserSessions: {
    rule: ofUsers('update'),
    send: async (stage) => ({ path: `/api/v1/users/${(await stage.freshUser()).id}/sessions` }),
  },
  createPasswordReset: {
    rule: ofUsers('update'),
    send: async (stage) => ({ path: `/api/v1/users/${(await stage.freshUser()).id}/password-reset` }),
  },
  inviteToPlatform: {
    rule: ofUsers('create'),
    send: (stage) => ({ path: '/api/v1/invitations', body: { email: `${stage.name('asked')}@stage.test` } }),
  },
  listInvitations: { rule: ofUsers('create'), send: () => ({ path: '/api/v1/invitations' }) },
  listSigningKeys: { rule: ofKeys, send: () => ({ path: '/api/v1/auth/signing-keys' }) },
  rotateSigningKeys: { rule: ofKeys, send: () => ({ path: '/api/v1/auth/signing-keys', body: {} }) },
};

/** Invitations to the team. */
const INVITATION_ROUTES: RouteCases = {
  inviteToTeam: {
    rule: ofMembers,
    send: (stage) => ({
      path: `/api/v1/teams/${stage.teamId}/invitations`,
      body: { email: `${stage.name('guest')}@stage.test`, role: 'viewer' },
    }),
  },
  listTeamInvitations: { rule: ofMembers, send: (stage) => ({ path: `/api/v1/teams/${stage.teamId}/invitations` }) },
  revokeInvitation: { rule: ofMembers, send: async (stage) => ({ path: `/api/v1/invitations/${(await freshInvitation(stage)).id}` }) },
};

/** Accounts, log-ins, invitations and signing keys. */
export const ACCOUNT_ROUTES: RouteCases = { ...DOOR_ROUTES, ...MY_ROUTES, ...USER_ROUTES, ...INVITATION_ROUTES };
