import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { generate } from 'otplib';
import { DataSource } from 'typeorm';
import { asSystem } from '../../src/common/request-context.js';
import { parseOidcGroups } from '../../src/config/oidc-groups.js';
import { TestApplication, type TestUser, bearer } from '../support/application.js';
import { CLIENT, IdentityProvider } from '../support/identity-provider.js';

interface Grant {
  accessToken: string;
  refreshToken: string;
  user: { id: string; email: string; platformAdmin: boolean };
}
interface Me {
  email: string;
  platformAdmin: boolean;
  teams: { slug: string; role: string }[];
}
/** A log-in as its client sees it: the secret that it keeps, and where to send the browser. */
interface Begun {
  codeVerifier: string;
  authorizationUrl: string;
}

const LOOPBACK = 'http://127.0.0.1:49200/done';
const groupMapping = (text: string) => {
  const mapping = parseOidcGroups(text);
  if (mapping === false) throw new TypeError('not a mapping');
  return mapping;
};

describe('OIDC, with a real provider', () => {
  let application: TestApplication;
  let provider: IdentityProvider;
  let people = 0;

  beforeAll(async () => {
    provider = await IdentityProvider.reserve();
    application = await TestApplication.start({
      signUp: 'oidc',
      oidcIssuer: provider.issuer,
      oidcClientId: CLIENT.id,
      oidcClientSecret: CLIENT.secret,
      oidcScopes: 'openid email groups',
    });
    const { port } = new URL(await application.app.getUrl());
    application.config.publicUrl = `http://localhost:${port}`;
  });

  beforeEach(() => {
    Object.assign(application.config, { signUp: 'oidc', oidcLinkByEmail: false });
    delete application.config.oidcGroups;
    provider.amr = ['pwd'];
  });

  afterAll(async () => {
    await provider.stop();
    await application.stop();
  });

  const post = (path: string, body: object = {}, user?: { accessToken: string }) => {
    const call = application.http.post(`/api/v1${path}`).send(body);
    return user ? call.set(bearer(user)) : call;
  };
  const query = <T>(sql: string, parameters: unknown[] = []) =>
    asSystem('test', () => application.app.get(DataSource).query<T>(sql, parameters));
  const me = async (grant: Grant) => (await application.http.get('/api/v1/me').set(bearer(grant)).expect(200)).body as Me;
  const callback = (url: URL) => application.http.get(url.pathname + url.search);
  const startProvider = () => provider.start(`${application.config.publicUrl}/api/v1/auth/oidc/callback`);

  /** Somebody whom the provider knows, sitting at the browser. */
  const somebody = (claims: object = {}) => {
    people += 1;
    provider.person = `subject-${people}`;
    const email = `person${people}@example.org`;
    provider.accounts.set(provider.person, { email, email_verified: true, ...claims });
    return { subject: provider.person, email };
  };
  const sitsDown = (person: { subject: string }, claims: object = {}) => {
    provider.person = person.subject;
    provider.accounts.set(person.subject, { ...provider.accounts.get(person.subject), ...claims });
  };

  const begin = async (redirectUri: string | undefined = LOOPBACK): Promise<Begun> => {
    const codeVerifier = randomBytes(32).toString('base64url');
    const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url');
    const answer = await post('/auth/oidc/authorizations', { codeChallenge, ...(redirectUri === '' ? {} : { redirectUri }) }).expect(201);
    return { codeVerifier, ...(answer.body as { authorizationUrl: string }) };
  };
  /** The one-time code that the browser brings back to whoever began. */
  const codeOf = async ({ authorizationUrl }: Begun) => {
    const answer = await callback(await provider.visit(authorizationUrl)).expect(303);
    const { searchParams } = new URL(answer.headers['location'] ?? '');
    return searchParams.get('code') ?? `error: ${searchParams.get('error') ?? ''}`;
  };
  const exchange = async (begun: Begun) => post('/auth/oidc/token', { code: await codeOf(begun), codeVerifier: begun.codeVerifier });
  const logIn = async () => (await exchange(await begin()).then((answer) => expectStatus(answer, 200))).body as Grant;
  const expectStatus = <A extends { status: number; body: unknown }>(answer: A, status: number): A => {
    if (answer.status !== status) throw new Error(`expected ${status}, got ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer;
  };
  const refusal = async (status: number) => (expectStatus(await exchange(await begin()), status).body as { code: string }).code;

  it('a provider that is away does not keep the server from starting, and log-ins say so until it is back', async () => {
    const codeChallenge = createHash('sha256').update('x').digest('base64url');
    const answer = await post('/auth/oidc/authorizations', { codeChallenge }).expect(503);
    expect(answer.body).toMatchObject({ code: 'OIDC_UNAVAILABLE' });
    await application.http.get('/api/v1/health').expect(200);
    expect((await application.http.get('/api/v1/auth/options').expect(200)).body).toMatchObject({ oidc: { name: 'Single sign-on' } });
    await startProvider();
    await begin();
  });

  describe('a log-in', () => {
    it('opens a new account with a personal team, and the same one the next time', async () => {
      const person = somebody();
      const first = await logIn();
      expect(first.user).toMatchObject({ email: person.email, platformAdmin: false });
      expect(await me(first)).toMatchObject({ teams: [{ role: 'owner' }] });
      provider.accounts.set(person.subject, { email: 'renamed@example.org', email_verified: false });
      const second = await logIn();
      expect(second.user).toEqual(first.user);
      const actions = await query<{ action: string }[]>('SELECT action FROM audit_events WHERE actor_id = $1 ORDER BY seq', [
        first.user.id,
      ]);
      expect(actions.map(({ action }) => action)).toEqual(expect.arrayContaining(['identity.linked', 'user.logged-in']));
    });

    it('carries PKCE, state and nonce, and no token in any address (R26)', async () => {
      somebody();
      const begun = await begin();
      const asked = new URL(begun.authorizationUrl).searchParams;
      expect(Object.fromEntries(asked)).toMatchObject({ response_type: 'code', code_challenge_method: 'S256', client_id: CLIENT.id });
      for (const name of ['state', 'nonce', 'code_challenge']) expect(asked.get(name)).toMatch(/^[\w-]{43}$/);
      const back = await provider.visit(begun.authorizationUrl);
      const answer = await callback(back).expect(303);
      const location = new URL(answer.headers['location'] ?? '');
      expect(`${location.origin}${location.pathname}`).toBe(LOOPBACK);
      expect([...location.searchParams.keys()]).toEqual(['code']);
      expect(answer.headers['referrer-policy']).toBe('no-referrer');
      const rows = await query<{ text: string }[]>('SELECT r::text AS text FROM oidc_results r');
      expect(JSON.stringify(rows)).not.toContain(location.searchParams.get('code'));
      await application.http
        .get('/api/v1/me')
        .set(bearer({ accessToken: location.searchParams.get('code') ?? '' }))
        .expect(401);
    });

    it('shows the code in the browser when nobody waits for it there', async () => {
      const person = somebody();
      const begun = await begin('');
      const page = await callback(await provider.visit(begun.authorizationUrl)).expect(200);
      expect(page.headers['content-type']).toContain('text/html');
      const code = /<code[^>]*>([^<]+)<\/code>/.exec(page.text)?.[1];
      const grant = (await post('/auth/oidc/token', { code, codeVerifier: begun.codeVerifier }).expect(200)).body as Grant;
      expect(grant.user.email).toBe(person.email);
    });

    it('refuses an unknown state, and one that was used', async () => {
      somebody();
      const back = await provider.visit((await begin()).authorizationUrl);
      const forged = new URL(back);
      forged.searchParams.set('state', randomBytes(32).toString('base64url'));
      expect((await callback(forged).expect(401)).text).toContain('OIDC_STATE_UNKNOWN');
      await callback(back).expect(303);
      expect((await callback(back).expect(401)).text).toContain('OIDC_STATE_UNKNOWN');
    });

    it('refuses an answer that was made for another log-in', async () => {
      somebody();
      const [one, two] = [await begin(), await begin()];
      const answer = await provider.visit(one.authorizationUrl);
      answer.searchParams.set('state', new URL(two.authorizationUrl).searchParams.get('state') ?? '');
      const { location } = (await callback(answer).expect(303)).headers;
      expect(location).toBe(`${LOOPBACK}?error=OIDC_ANSWER_INVALID`);
    });

    it('refuses an ID token with another nonce', async () => {
      somebody();
      const begun = await begin();
      const tampered = new URL(begun.authorizationUrl);
      tampered.searchParams.set('nonce', randomBytes(32).toString('base64url'));
      expect(await codeOf({ ...begun, authorizationUrl: tampered.href })).toBe('error: OIDC_ANSWER_INVALID');
    });

    it('refuses a code of the provider that was exchanged before', async () => {
      somebody();
      const [one, two] = [await begin(), await begin()];
      const first = await provider.visit(one.authorizationUrl);
      await callback(first).expect(303);
      const replayed = await provider.visit(two.authorizationUrl);
      replayed.searchParams.set('code', first.searchParams.get('code') ?? '');
      expect((await callback(replayed).expect(303)).headers['location']).toContain('error=OIDC_ANSWER_INVALID');
    });

    it('refuses our own code when it is replayed, expired, or comes from somebody without the verifier', async () => {
      somebody();
      const begun = await begin();
      const code = await codeOf(begun);
      await post('/auth/oidc/token', { code, codeVerifier: begun.codeVerifier }).expect(200);
      expect((await post('/auth/oidc/token', { code, codeVerifier: begun.codeVerifier }).expect(401)).body).toMatchObject({
        code: 'OIDC_CODE_INVALID',
      });
      const stolen = await begin();
      const seen = await codeOf(stolen);
      await post('/auth/oidc/token', { code: seen, codeVerifier: randomBytes(32).toString('base64url') }).expect(401);
      await post('/auth/oidc/token', { code: seen, codeVerifier: stolen.codeVerifier }).expect(401);
      const late = await begin();
      const lateCode = await codeOf(late);
      await query('UPDATE oidc_results SET expires_at = now()');
      await post('/auth/oidc/token', { code: lateCode, codeVerifier: late.codeVerifier }).expect(401);
    });

    it('tells whoever began that the person said no', async () => {
      const begun = await begin();
      const back = new URL(`${application.config.publicUrl}/api/v1/auth/oidc/callback`);
      back.searchParams.set('error', 'access_denied');
      back.searchParams.set('iss', provider.issuer);
      back.searchParams.set('state', new URL(begun.authorizationUrl).searchParams.get('state') ?? '');
      expect((await callback(back).expect(303)).headers['location']).toBe(`${LOOPBACK}?error=OIDC_REFUSED`);
    });

    it.each([
      'https://evil.example',
      'http://127.0.0.1.evil.example/',
      'http://10.0.0.1/',
      'http://a@127.0.0.1/',
      'javascript:alert(1)',
      '//evil',
    ])('does not take codes to %s', async (redirectUri) => {
      const codeChallenge = createHash('sha256').update('x').digest('base64url');
      await post('/auth/oidc/authorizations', { codeChallenge, redirectUri }).expect(400);
    });

    it('survives the provider going away and coming back, on what it knew', async () => {
      somebody();
      const begun = await begin();
      const back = await provider.visit(begun.authorizationUrl);
      await provider.stop();
      expect((await callback(back).expect(303)).headers['location']).toContain('error=OIDC_UNAVAILABLE');
      await startProvider();
      await logIn();
    });
  });

  describe('an account', () => {
    it('is not opened for an address that the provider has not verified', async () => {
      somebody({ email_verified: false });
      expect(await refusal(401)).toBe('OIDC_EMAIL_UNVERIFIED');
      somebody({ email: undefined });
      expect(await refusal(401)).toBe('OIDC_EMAIL_UNVERIFIED');
      const [row] = await query<{ outcome: string }[]>(
        `SELECT outcome FROM audit_events WHERE action = 'user.log-in-refused' ORDER BY seq DESC LIMIT 1`,
      );
      expect(row?.outcome).toBe('denied');
    });

    it('of the same address is linked only when the operator allows it and both sides have verified the address', async () => {
      const person = somebody();
      const user = await application.user(person.email);
      expect(await refusal(403)).toBe('OIDC_NOT_LINKED');
      application.config.oidcLinkByEmail = true;
      expect(await refusal(403)).toBe('OIDC_NOT_LINKED');
      await query('UPDATE users SET email_verified_at = now() WHERE id = $1', [user.id]);
      sitsDown(person, { email_verified: false });
      expect(await refusal(401)).toBe('OIDC_EMAIL_UNVERIFIED');
      sitsDown(person, { email_verified: true });
      expect((await logIn()).user.id).toBe(user.id);
    });

    it('by invitation needs one of that address, and joins its team', async () => {
      application.config.signUp = 'invite';
      const person = somebody();
      expect(await refusal(403)).toBe('SIGN_UP_CLOSED');
      const owner = await application.user(`owner${people}@example.org`);
      const team = (await post('/teams', { name: 'Harbour', slug: `harbour-${people}` }, owner).expect(201)).body as { id: string };
      await post(`/teams/${team.id}/invitations`, { email: person.email, role: 'developer' }, owner).expect(201);
      expect((await me(await logIn())).teams).toContainEqual(expect.objectContaining({ slug: `harbour-${people}`, role: 'developer' }));
    });

    it('that is disabled stays closed', async () => {
      somebody();
      const grant = await logIn();
      await query('UPDATE users SET disabled_at = now() WHERE id = $1', [grant.user.id]);
      expect(await refusal(401)).toBe('ACCOUNT_DISABLED');
    });

    it('with a second factor is asked for it, unless the provider has asked', async () => {
      somebody();
      const grant = await logIn();
      const { secret } = (await post('/me/totp', {}, grant).expect(201)).body as { secret: string };
      const epoch = Math.floor(Date.now() / 1000);
      await post('/me/totp/confirm', { code: await generate({ secret, epoch }) }, grant).expect(200);
      const asked = expectStatus(await exchange(await begin()), 202).body as { challenge: string; methods: string[] };
      expect(asked.methods).toContain('totp');
      await post('/auth/login/second-factor', { challenge: asked.challenge, totp: await generate({ secret, epoch: epoch + 30 }) }).expect(
        200,
      );
      provider.amr = ['pwd', 'mfa'];
      await logIn();
    });
  });

  describe('identities', () => {
    const freshly = async (user: TestUser) => {
      await post('/me/reauthenticate', { password: user.password }, user).expect(204);
    };
    const list = async (user: { accessToken: string }) =>
      (
        (await application.http.get('/api/v1/me/identities').set(bearer(user)).expect(200)).body as {
          items: { id: string; subject: string }[];
        }
      ).items;
    const unlink = (user: { accessToken: string }, id: string) => application.http.delete(`/api/v1/me/identities/${id}`).set(bearer(user));

    it('are linked by a logged-in user with a fresh proof, and unlinked again', async () => {
      const person = somebody({ email: 'private@elsewhere.example', email_verified: false });
      const user = await application.user(`linker${people}@example.org`);
      const begun = await begin();
      const body = { code: await codeOf(begun), codeVerifier: begun.codeVerifier };
      expect((await post('/me/identities', body, user).expect(403)).body).toMatchObject({ code: 'REAUTHENTICATION_REQUIRED' });
      await freshly(user);
      await post('/me/identities', body, user).expect(201);
      const [identity] = await list(user);
      expect(identity).toMatchObject({ subject: person.subject });
      expect((await logIn()).user.id).toBe(user.id);
      const other = await application.user(`other${people}@example.org`);
      await freshly(other);
      expect(await list(other)).toEqual([]);
      await unlink(other, identity?.id ?? '').expect(404);
      const again = await begin();
      const taken = await post('/me/identities', { code: await codeOf(again), codeVerifier: again.codeVerifier }, other).expect(409);
      expect(taken.body).toMatchObject({ code: 'IDENTITY_TAKEN' });
      await unlink(user, identity?.id ?? '').expect(204);
      expect(await refusal(401)).toBe('OIDC_EMAIL_UNVERIFIED');
    });

    it('stay when they are the last way to log in', async () => {
      somebody();
      const grant = await logIn();
      const [identity] = await list(grant);
      expect((await unlink(grant, identity?.id ?? '').expect(409)).body).toMatchObject({ code: 'LAST_WAY_IN' });
      expect(await list(grant)).toHaveLength(1);
    });
  });

  describe('groups', () => {
    const team = async (owner: TestUser, slug: string) => {
      await post('/teams', { name: slug, slug }, owner).expect(201);
      return slug;
    };
    const rolesOf = async (grant: Grant) =>
      Object.fromEntries((await me(grant)).teams.filter(({ slug }) => slug.startsWith('group-')).map(({ slug, role }) => [slug, role]));

    it('give, change and take away roles at each log-in, and touch nothing that was given by hand', async () => {
      const owner = await application.user(`founder${people}@example.org`);
      const [crew, docs, club] = [await team(owner, 'group-crew'), await team(owner, 'group-docs'), await team(owner, 'group-club')];
      application.config.oidcGroups = groupMapping(
        JSON.stringify({
          dev: { [crew]: 'developer', [docs]: 'viewer' },
          lead: { [crew]: 'admin' },
          club: { [club]: 'admin', missing: 'viewer' },
        }),
      );
      const person = somebody({ groups: ['dev', 'strangers'] });
      let grant = await logIn();
      expect(await rolesOf(grant)).toEqual({ [crew]: 'developer', [docs]: 'viewer' });
      const teams = (await application.http.get('/api/v1/teams').set(bearer(owner)).expect(200)).body as {
        items: { id: string; slug: string }[];
      };
      const clubId = teams.items.find(({ slug }) => slug === club)?.id ?? '';
      await application.http
        .put(`/api/v1/teams/${clubId}/members`)
        .set(bearer(owner))
        .send({ email: person.email, role: 'viewer' })
        .expect(200);
      sitsDown(person, { groups: ['lead', 'dev', 'club'] });
      grant = await logIn();
      expect(await rolesOf(grant)).toEqual({ [crew]: 'admin', [docs]: 'viewer', [club]: 'viewer' });
      sitsDown(person, { groups: [] });
      grant = await logIn();
      expect(await rolesOf(grant)).toEqual({ [club]: 'viewer' });
      const actions = await query<{ action: string; details: { by: string } }[]>(
        `SELECT action, details FROM audit_events WHERE actor_id = $1 AND action LIKE 'member.%' ORDER BY seq`,
        [grant.user.id],
      );
      expect(actions.map(({ action, details }) => `${action} ${details.by}`)).toEqual([
        'member.added oidc-groups',
        'member.added oidc-groups',
        'member.role-changed oidc-groups',
        'member.removed oidc-groups',
        'member.removed oidc-groups',
      ]);
    });

    it('R33: never take the last owner away', async () => {
      const owner = await application.user(`founder-two${people}@example.org`);
      const slug = await team(owner, 'group-lonely');
      application.config.oidcGroups = groupMapping(JSON.stringify({ bosses: { [slug]: 'owner' } }));
      const person = somebody({ groups: ['bosses'] });
      expect(await rolesOf(await logIn())).toEqual({ [slug]: 'owner' });
      const teams = (await application.http.get('/api/v1/teams').set(bearer(owner)).expect(200)).body as {
        items: { id: string; slug: string }[];
      };
      const teamId = teams.items.find((each) => each.slug === slug)?.id ?? '';
      await application.http.delete(`/api/v1/teams/${teamId}/members/${owner.id}`).set(bearer(owner)).expect(204);
      sitsDown(person, { groups: [] });
      expect(await rolesOf(await logIn())).toEqual({ [slug]: 'owner' });
    });

    it('make platform administrators, and take that away, but not from the last one', async () => {
      application.config.oidcGroups = groupMapping('{"operators": "platform-admin"}');
      const person = somebody({ groups: ['operators'] });
      expect((await me(await logIn())).platformAdmin).toBe(true);
      sitsDown(person, { groups: [] });
      expect((await me(await logIn())).platformAdmin).toBe(true);
      const admin = await application.user(`admin${people}@example.org`, { platformAdmin: true });
      expect((await me(await logIn())).platformAdmin).toBe(false);
      await application.http.get('/api/v1/me').set(bearer(admin)).expect(200);
    });
  });

  it('a log-out ends the session here, and says where it ends at the provider', async () => {
    somebody();
    const grant = await logIn();
    const { logoutUrl } = (await post('/auth/oidc/logout', { refreshToken: grant.refreshToken }).expect(200)).body as { logoutUrl: string };
    expect(new URL(logoutUrl).origin).toBe(provider.issuer);
    expect((await fetch(logoutUrl)).status).toBe(200);
    await application.http.get('/api/v1/me').set(bearer(grant)).expect(401);
  });
});

describe('without an OIDC provider', () => {
  it('there is nothing to begin', async () => {
    const application = await TestApplication.start();
    try {
      const codeChallenge = createHash('sha256').update('x').digest('base64url');
      const answer = await application.http.post('/api/v1/auth/oidc/authorizations').send({ codeChallenge }).expect(404);
      expect(answer.body).toMatchObject({ code: 'OIDC_NOT_CONFIGURED' });
      expect((await application.http.get('/api/v1/auth/options').expect(200)).body).toMatchObject({ oidc: null });
    } finally {
      await application.stop();
    }
  });
});
