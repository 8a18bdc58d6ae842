import type { RouteCase, RouteCases } from '../route-case.js';
import { PASSWORD, proved } from './proof.js';

const anybody: RouteCase['rule'] = { kind: 'public' };
const own: RouteCase['rule'] = { kind: 'own' };

const NOBODYS = '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55';
const CREDENTIAL = { id: 'eA', rawId: 'eA', type: 'public-key' };
const ASSERTION = { ...CREDENTIAL, response: { clientDataJSON: 'eA', authenticatorData: 'eA', signature: 'eA' } };
const ATTESTATION = { ...CREDENTIAL, response: { clientDataJSON: 'eA', attestationObject: 'eA' } };
const OIDC_CODE = { code: 'oidc-nobody-has-this', codeVerifier: 'x'.repeat(43) };

/** One-time codes, recovery codes and passkeys; no test here holds a device, so the proofs are wrong. */
const FACTOR_ROUTES: RouteCases = {
  loginWithSecondFactor: {
    rule: anybody,
    send: () => ({ path: '/api/v1/auth/login/second-factor', body: { challenge: 'hithe_lc_x', totp: '123456' } }),
    letThrough: [401],
  },
  getSecondFactorPasskeyOptions: {
    rule: anybody,
    send: () => ({ path: '/api/v1/auth/login/second-factor/passkey-options', body: { challenge: 'hithe_lc_x' } }),
    letThrough: [401],
  },
  getPasskeyLoginOptions: { rule: anybody, send: () => ({ path: '/api/v1/auth/passkeys/options' }) },
  loginWithPasskey: {
    rule: anybody,
    // Attempts are counted for each key.
    send: (stage) => ({ path: '/api/v1/auth/passkeys/verify', body: { passkey: { ...ASSERTION, id: stage.name('key') } } }),
    letThrough: [401],
  },
  getMySecondFactors: { rule: own, send: () => ({ path: '/api/v1/me/second-factors' }) },
  reauthenticate: { rule: own, send: () => ({ path: '/api/v1/me/reauthenticate', body: { password: PASSWORD } }) },
  getReauthenticationPasskeyOptions: { rule: own, send: () => ({ path: '/api/v1/me/reauthenticate/passkey-options' }) },
  beginTotp: { rule: own, send: (stage, caller) => proved(stage, caller, { path: '/api/v1/me/totp' }) },
  // The code is wrong, or nothing waits for one.
  confirmTotp: { rule: own, send: () => ({ path: '/api/v1/me/totp/confirm', body: { code: '000000' } }), letThrough: [400, 409] },
  // There is nothing to disable, and nothing that codes could stand in for.
  disableTotp: { rule: own, send: (stage, caller) => proved(stage, caller, { path: '/api/v1/me/totp' }), letThrough: [409] },
  renewRecoveryCodes: {
    rule: own,
    send: (stage, caller) => proved(stage, caller, { path: '/api/v1/me/recovery-codes' }),
    letThrough: [409],
  },
  listMyPasskeys: { rule: own, send: () => ({ path: '/api/v1/me/passkeys' }) },
  getPasskeyRegistrationOptions: { rule: own, send: (stage, caller) => proved(stage, caller, { path: '/api/v1/me/passkeys/options' }) },
  registerPasskey: {
    rule: own,
    send: (stage, caller) => proved(stage, caller, { path: '/api/v1/me/passkeys', body: { name: 'Laptop', passkey: ATTESTATION } }),
    letThrough: [400],
  },
  // Somebody else's, or nobody's: test/e2e/passkeys.spec.ts has real ones.
  renamePasskey: { rule: own, send: () => ({ path: `/api/v1/me/passkeys/${NOBODYS}`, body: { name: 'Phone' } }), letThrough: [404] },
  deletePasskey: {
    rule: own,
    send: (stage, caller) => proved(stage, caller, { path: `/api/v1/me/passkeys/${NOBODYS}` }),
    letThrough: [404],
  },
  resetSecondFactors: {
    rule: { kind: 'row', row: 'platform', action: 'update', of: 'platform' },
    send: async (stage) => ({ path: `/api/v1/users/${(await stage.freshUser()).id}/second-factors` }),
  },
};

/** The OIDC provider, which the installation of the matrix does not have, and identities; test/http/oidc.spec.ts has a real one. */
const OIDC_ROUTES: RouteCases = {
  beginOidc: {
    rule: anybody,
    send: () => ({ path: '/api/v1/auth/oidc/authorizations', body: { codeChallenge: 'x'.repeat(43) } }),
    letThrough: [404],
  },
  oidcCallback: { rule: anybody, send: () => ({ path: '/api/v1/auth/oidc/callback?state=x&code=y' }), letThrough: [401] },
  loginWithOidc: { rule: anybody, send: () => ({ path: '/api/v1/auth/oidc/token', body: OIDC_CODE }), letThrough: [401] },
  logoutWithOidc: {
    rule: anybody,
    send: () => ({ path: '/api/v1/auth/oidc/logout', body: { refreshToken: 'hithe_rt_x' } }),
    letThrough: [404],
  },
  listMyIdentities: { rule: own, send: () => ({ path: '/api/v1/me/identities' }) },
  linkIdentity: {
    rule: own,
    send: (stage, caller) => proved(stage, caller, { path: '/api/v1/me/identities', body: OIDC_CODE }),
    letThrough: [400],
  },
  unlinkIdentity: {
    rule: own,
    send: (stage, caller) => proved(stage, caller, { path: `/api/v1/me/identities/${NOBODYS}` }),
    letThrough: [404],
  },
};

/** Second factors, and log-in with an OIDC provider. */
export const LOGIN_ROUTES: RouteCases = { ...FACTOR_ROUTES, ...OIDC_ROUTES };
