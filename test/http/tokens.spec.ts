import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApiTokens } from '../../src/auth/api-tokens/api-tokens.js';
import { newToken } from '../../src/auth/api-tokens/token-format.js';
import { bearer, type TestUser } from '../support/application.js';
import { TestPlatform } from '../support/platform.js';
import { expire, sql, type TestToken, tokenOf, withToken } from '../support/tokens.js';
import { until } from '../support/until.js';

const SPEC = (name: string) => ({ name, components: { cache: { port: 'valkey', version: '8' } } });
const UNKNOWN_ID = '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55';

interface Listed {
  items: { id: string; name: string; lastUsedAt: string | null; lastUsedAddress: string | null; expired: boolean }[];
}

describe('API tokens', () => {
  let platform: TestPlatform;
  let ada: TestUser;
  let eve: TestUser;
  let shop: string;
  let blog: string;

  const http = () => platform.application.http;
  const token = (user: TestUser, scopes: string[], more = {}) => tokenOf(platform.application, user, scopes, more);
  const get = (path: string, credential: { token: string }) => http().get(`/api/v1${path}`).set(withToken(credential));
  const post = (path: string, credential: { token: string }, body: object) =>
    http().post(`/api/v1${path}`).set(withToken(credential)).send(body);
  const create = (user: TestUser, body: object) => http().post('/api/v1/me/tokens').set(bearer(user)).send(body);
  const list = async (user: TestUser): Promise<Listed['items']> =>
    ((await http().get('/api/v1/me/tokens').set(bearer(user)).expect(200)).body as Listed).items;
  const codeOf = (answer: { body: unknown }): unknown => (answer.body as { code?: unknown }).code;

  beforeAll(async () => {
    platform = await TestPlatform.start();
    ada = await platform.application.user('ada@example.org');
    eve = await platform.application.user('eve@example.org');
    shop = await platform.apply(ada, SPEC('shop'));
    blog = await platform.apply(ada, SPEC('blog'));
  });

  afterAll(async () => {
    await platform.stop();
  });

  describe('POST /me/tokens', () => {
    it('shows the token once, keeps what was asked for, and ends after 90 days', async () => {
      const made = (await create(ada, { name: 'ci', scopes: ['read', 'deploy'] }).expect(201)).body as TestToken;
      expect(made.token).toMatch(/^hithe_pat_[0-9A-Za-z]{42}$/);
      expect(made).toMatchObject({
        name: 'ci',
        scopes: ['read', 'deploy'],
        teamId: null,
        userId: ada.id,
        lastUsedAt: null,
        expired: false,
      });
      expect((Date.parse(made.expiresAt) - Date.now()) / 86_400_000).toBeCloseTo(90, 1);
      expect(JSON.stringify(await list(ada))).not.toContain(made.token);
    });

    it('R25: keeps the hash of a token, not the token', async () => {
      const { token: secret } = await token(ada, ['read']);
      const rows = await sql<{ row: string }[]>(
        platform.application,
        `SELECT t::text AS row FROM api_tokens t UNION ALL SELECT a::text FROM audit_events a`,
      );
      expect(rows.filter(({ row }) => row.includes(secret) || row.includes(Buffer.from(secret).toString('hex')))).toEqual([]);
      expect(rows.some(({ row }) => row.includes(createHash('sha256').update(secret).digest('hex')))).toBe(true);
    });

    it.each([
      [{ scopes: ['read'] }, 'name'],
      [{ name: 'x', scopes: [] }, 'scopes'],
      [{ name: 'x', scopes: ['admin'] }, 'scopes[0]'],
      [{ name: 'x', scopes: ['read', 'deploy:'] }, 'scopes[1]'],
      [{ name: 'x', scopes: ['deploy:nobody/nothing'] }, 'scopes[0]'],
      [{ name: 'x', scopes: ['deploy', 'deploy:ada/shop'] }, 'scopes[1]'],
      [{ name: 'x', scopes: ['read'], expiresInDays: 366 }, 'expiresInDays'],
      [{ name: 'x', scopes: ['read'], expiresInDays: 0 }, 'expiresInDays'],
      [{ name: 'x\n', scopes: ['read'] }, 'name'],
      [{ name: 'x', scopes: ['read'], userId: UNKNOWN_ID }, 'userId'],
    ])('refuses %j', async (body, path) => {
      const answer = await create(ada, body).expect(400);
      expect((answer.body as { errors: { path: string }[] }).errors.map((fault) => fault.path)).toContain(path);
    });

    it('names projects by team and name, and ties the token to their team', async () => {
      const made = await token(ada, ['deploy:ada/shop', `read:${blog}`]);
      expect(made).toMatchObject({ scopes: [`deploy:${shop}`, `read:${blog}`], teamId: ada.teamId });
    });

    it("R27: refuses another team's project, and another team, as if they were not there", async () => {
      await create(eve, { name: 'x', scopes: [`deploy:${shop}`] }).expect(404);
      await create(eve, { name: 'x', scopes: ['deploy:ada/shop'] }).expect(400);
      await create(eve, { name: 'x', scopes: ['read'], teamId: ada.teamId }).expect(404);
    });
  });

  describe('as a credential', () => {
    it('is who its owner is, and says which token it is', async () => {
      const made = await token(ada, ['read'], { name: 'laptop' });
      const me = await get('/me', made).expect(200);
      expect(me.body).toMatchObject({
        id: ada.id,
        email: ada.email,
        teams: [{ id: ada.teamId }],
        token: { id: made.id, name: 'laptop', scopes: ['read'] },
      });
      await get('/projects', made).expect(200);
      await get('/scopes', made).expect(200);
    });

    it('a mistyped one is refused without being looked up', async () => {
      const made = await token(ada, ['read']);
      const asked = jest.spyOn(platform.application.app.get(ApiTokens, { strict: false }), 'find');
      const typo = made.token.slice(0, -1) + (made.token.endsWith('a') ? 'b' : 'a');
      const answer = await get('/me', { token: typo }).expect(401);
      expect(codeOf(answer)).toBe('TOKEN_MALFORMED');
      expect(asked).not.toHaveBeenCalled();
      asked.mockRestore();
    });

    it('an unknown, a revoked and an expired one are refused with a code each', async () => {
      expect(codeOf(await get('/me', { token: newToken('pat') }).expect(401))).toBe('TOKEN_UNKNOWN');
      const revoked = await token(ada, ['read']);
      await http().delete(`/api/v1/me/tokens/${revoked.id}`).set(bearer(ada)).expect(204);
      expect(codeOf(await get('/me', revoked).expect(401))).toBe('TOKEN_REVOKED');
      const expired = await token(ada, ['read']);
      await expire(platform.application, expired);
      expect(codeOf(await get('/me', expired).expect(401))).toBe('TOKEN_EXPIRED');
      expect((await list(ada)).find(({ id }) => id === expired.id)).toMatchObject({ expired: true });
    });

    it('R20: that of a disabled user dies at once', async () => {
      const gone = await platform.application.user('gone@example.org');
      const made = await token(gone, ['read']);
      await get('/me', made).expect(200);
      await sql(platform.application, 'UPDATE users SET disabled_at = now() WHERE id = $1', [gone.id]);
      expect(codeOf(await get('/me', made).expect(401))).toBe('TOKEN_OWNER_DISABLED');
    });

    it('R26: is refused in a query string', async () => {
      const made = await token(ada, ['read']);
      for (const name of ['access_token', 'token', 'api_key']) {
        const answer = await http().get(`/api/v1/me?${name}=${made.token}`).expect(400);
        expect(codeOf(answer)).toBe('SECRET_IN_QUERY');
        expect(answer.text).not.toContain(made.token);
      }
    });

    it('notes when and from where it was used, and not on every request', async () => {
      const made = await token(ada, ['read']);
      const found = async () => (await list(ada)).find(({ id }) => id === made.id);
      expect(await found()).toMatchObject({ lastUsedAt: null, lastUsedAddress: null });
      await get('/me', made).expect(200);
      await until(async () => (await found())?.lastUsedAt !== null);
      const first = await found();
      expect(first?.lastUsedAddress).toMatch(/127\.0\.0\.1$/);
      await get('/me', made).expect(200);
      expect(await found()).toEqual(first);
    });
  });

  describe('scopes', () => {
    it('R29: with every scope but the needed one: 403, and the needed one is named', async () => {
      const lacking = await token(ada, ['deploy', 'secret:write']);
      for (const path of [
        '/projects',
        `/projects/${shop}`,
        `/projects/${shop}/status`,
        '/ports',
        '/teams',
        `/teams/${ada.teamId}/members`,
        `/projects/${shop}/logs`,
      ]) {
        const answer = await get(path, lacking).expect(403);
        expect({ path, body: answer.body as object }).toMatchObject({
          path,
          body: { code: 'SCOPE_MISSING', details: { requiredScope: 'read' }, detail: expect.stringContaining('"read"') as unknown },
        });
      }
      const reader = await token(ada, ['read', 'secret:write']);
      const answer = await post(`/projects/${shop}/deployments`, reader, { kind: 'deploy' }).expect(403);
      expect(answer.body).toMatchObject({ code: 'SCOPE_MISSING', details: { requiredScope: 'deploy' } });
      await http()
        .put(`/api/v1/teams/${ada.teamId}/projects/shop`)
        .set(withToken(reader))
        .send({ spec: SPEC('shop') })
        .expect(403);
      await http()
        .post(`/api/v1/teams/${ada.teamId}/sources`)
        .set(withToken(reader))
        .set('Content-Type', 'application/gzip')
        .send(Buffer.of(0x1f, 0x8b))
        .expect(403);
    });

    it('let through no more than the owner may', async () => {
      const made = await token(eve, ['read', 'deploy', 'secret:write']);
      await get(`/projects/${shop}`, made).expect(404);
      await post(`/projects/${shop}/deployments`, made, { kind: 'deploy' }).expect(404);
      const projects = (await get('/projects', made).expect(200)).body as { items: unknown[] };
      expect(projects.items).toEqual([]);
      expect(codeOf(await get('/nodes', made).expect(403))).toBe('ACTION_FORBIDDEN');
    });

    it('of a project let through that project alone, in lists too', async () => {
      const made = await token(ada, ['read:ada/shop', 'deploy:ada/shop']);
      const found = (await get('/projects', made).expect(200)).body as { items: { id: string }[] };
      expect(found.items.map(({ id }) => id)).toEqual([shop]);
      await get(`/projects/${shop}`, made).expect(200);
      expect(codeOf(await get(`/projects/${blog}`, made).expect(403))).toBe('SCOPE_MISSING');
      const apply = (name: string) =>
        http()
          .put(`/api/v1/teams/${ada.teamId}/projects/${name}`)
          .set(withToken(made))
          .send({ spec: SPEC(name) });
      await apply('shop').expect(200);
      expect(codeOf(await apply('blog').expect(403))).toBe('SCOPE_MISSING');
      expect(codeOf(await apply('brand-new').expect(403))).toBe('TOKEN_NOT_ALLOWED');
      expect(codeOf(await post(`/projects/${blog}/deployments`, made, { kind: 'stop' }).expect(403))).toBe('SCOPE_MISSING');
      // Let through: there is nothing yet that could be stopped.
      expect((await post(`/projects/${shop}/deployments`, made, { kind: 'stop' })).status).toBe(409);
    });

    it('work for uploads', async () => {
      const made = await token(ada, ['deploy:ada/shop', 'read']);
      const digest = await platform.upload({ ...ada, accessToken: made.token }, 'source');
      expect(digest).toMatch(/^sha256-/);
    });

    it('a token of one team sees no other', async () => {
      const other = (await http().post('/api/v1/teams').set(bearer(ada)).send({ name: 'Other' }).expect(201)).body as { id: string };
      const made = await token(ada, ['read', 'deploy'], { teamId: other.id });
      expect(((await get('/teams', made).expect(200)).body as { items: { id: string }[] }).items.map(({ id }) => id)).toEqual([other.id]);
      expect(((await get('/projects', made).expect(200)).body as { items: unknown[] }).items).toEqual([]);
      await get(`/projects/${shop}`, made).expect(404);
      await get(`/teams/${ada.teamId}`, made).expect(404);
    });

    it("of a platform administrator stay within the administrator's teams", async () => {
      const root = await platform.application.user('root@example.org', { platformAdmin: true });
      const made = await token(root, ['read', 'deploy', 'secret:write']);
      for (const path of ['/nodes', '/users']) expect([path, (await get(path, made)).body]).not.toMatchObject([path, { items: [{}, {}] }]);
      expect(codeOf(await post('/users', made, { email: 'x@example.org' }).expect(403))).toBe('TOKEN_NOT_ALLOWED');
      expect(codeOf(await get(`/users/${eve.id}`, made).expect(403))).toBe('SCOPE_MISSING');
    });

    it('never reach what would make a stolen token permanent', async () => {
      const made = await token(ada, ['read', 'deploy', 'secret:write']);
      const answers = await Promise.all([
        post('/me/tokens', made, { name: 'x', scopes: ['read'] }),
        get('/me/tokens', made),
        http().delete(`/api/v1/me/tokens/${made.id}`).set(withToken(made)),
        http().put(`/api/v1/teams/${ada.teamId}/members`).set(withToken(made)).send({ email: eve.email, role: 'owner' }),
        get(`/teams/${ada.teamId}/tokens`, made),
        post('/teams', made, { name: 'Mine' }),
      ]);
      expect(answers.map((answer) => [answer.status, codeOf(answer)])).toEqual(answers.map(() => [403, 'TOKEN_NOT_ALLOWED']));
    });
  });

  describe('of a session that is older than five minutes', () => {
    const serviceToken = async (user: TestUser) => {
      const base = `/api/v1/teams/${user.teamId}/service-accounts`;
      const name = `robot-${Math.random().toString(36).slice(2)}`;
      const account = (await http().post(base).set(bearer(user)).send({ name, role: 'viewer' }).expect(201)).body as { id: string };
      return http()
        .post(`${base}/${account.id}/tokens`)
        .set(bearer(user))
        .send({ name: 'ci', scopes: ['read'] });
    };

    it('are made after a fresh proof only', async () => {
      const ina = await platform.application.user('ina@example.org');
      const mine = () => create(ina, { name: 'ci', scopes: ['read'] });
      await mine().expect(201);
      expect((await serviceToken(ina)).status).toBe(201);
      await sql(platform.application, `UPDATE sessions SET created_at = now() - interval '5 minutes' WHERE user_id = $1`, [ina.id]);
      for (const refused of [await mine(), await serviceToken(ina)])
        expect({ status: refused.status, code: codeOf(refused) }).toEqual({ status: 403, code: 'REAUTHENTICATION_REQUIRED' });
      await http().post('/api/v1/me/reauthenticate').set(bearer(ina)).send({ password: ina.password }).expect(204);
      await mine().expect(201);
      expect((await serviceToken(ina)).status).toBe(201);
    });
  });

  describe('lists and revocation', () => {
    it('are of one’s own tokens', async () => {
      const made = await token(ada, ['read'], { name: 'mine' });
      expect((await list(eve)).map(({ id }) => id)).not.toContain(made.id);
      await http().delete(`/api/v1/me/tokens/${made.id}`).set(bearer(eve)).expect(404);
      await get('/me', made).expect(200);
      await http().delete(`/api/v1/me/tokens/${made.id}`).set(bearer(ada)).expect(204);
      await http().delete(`/api/v1/me/tokens/${made.id}`).set(bearer(ada)).expect(404);
      expect((await list(ada)).map(({ id }) => id)).not.toContain(made.id);
    });

    it('owners see and revoke the tokens that act in their team alone', async () => {
      const team = (await http().post('/api/v1/teams').set(bearer(ada)).send({ name: 'Crew' }).expect(201)).body as { id: string };
      await http().put(`/api/v1/teams/${team.id}/members`).set(bearer(ada)).send({ email: eve.email, role: 'developer' }).expect(200);
      const bound = await token(eve, ['read'], { teamId: team.id });
      const free = await token(eve, ['read']);
      const path = `/api/v1/teams/${team.id}/tokens`;
      await http().get(path).set(bearer(eve)).expect(403);
      const seen = ((await http().get(path).set(bearer(ada)).expect(200)).body as Listed).items.map(({ id }) => id);
      expect(seen).toEqual([bound.id]);
      await http().delete(`${path}/${free.id}`).set(bearer(ada)).expect(404);
      await http().delete(`${path}/${bound.id}`).set(bearer(ada)).expect(204);
      await get('/me', bound).expect(401);
      await get('/me', free).expect(200);
    });

    it('are recorded', async () => {
      const made = await token(ada, ['read'], { name: 'recorded' });
      await http().delete(`/api/v1/me/tokens/${made.id}`).set(bearer(ada)).expect(204);
      const events = await sql<{ action: string; actor_id: string }[]>(
        platform.application,
        `SELECT action, actor_id FROM audit_events WHERE subject_id = $1 AND subject_type = 'token' ORDER BY seq`,
        [made.id],
      );
      expect(events).toEqual(['token.created', 'token.revoked'].map((action) => ({ action, actor_id: ada.id })));
    });
  });
});
