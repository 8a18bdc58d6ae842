import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { asSystem } from '../../src/common/request-context.js';
import { TestApplication, type TestUser, bearer } from '../support/application.js';
import { auditOf } from '../support/audit.js';

interface SessionBody {
  id: string;
  current: boolean;
  address: string;
  userAgent: string;
  methods: string[];
}

describe('accounts', () => {
  let application: TestApplication;
  let admin: TestUser;

  beforeAll(async () => {
    application = await TestApplication.start();
    admin = await application.user('platform@example.org', { platformAdmin: true });
  });

  afterAll(async () => {
    await application.stop();
  });

  const call = (method: 'get' | 'post' | 'patch' | 'delete', path: string, user: { accessToken: string }, body?: object) => {
    const request = application.http[method](`/api/v1${path}`).set(bearer(user));
    return body === undefined ? request : request.send(body);
  };
  const login = async ({ email, password }: TestUser, userAgent = 'test') =>
    (await application.http.post('/api/v1/auth/login').set('User-Agent', userAgent).send({ email, password }).expect(200)).body as {
      accessToken: string;
      refreshToken: string;
    };
  const sessionsOf = async (user: { accessToken: string }, path = '/me/sessions') =>
    ((await call('get', path, user).expect(200)).body as { items: SessionBody[] }).items;

  describe('sessions', () => {
    it('are listed with where they come from, and which one is this', async () => {
      const ada = await application.user('ada@example.org');
      await login(ada, 'Lynx/2.9\tbeta');
      const sessions = await sessionsOf(ada);
      expect(sessions.map(({ current, userAgent, methods }) => [current, userAgent, methods])).toEqual([
        [true, expect.any(String), ['password']],
        [false, 'Lynx/2.9beta', ['password']],
      ]);
      expect(sessions[1]?.address).toMatch(/127\.0\.0\.1$/);
    });

    it('are ended one by one, or all but this one; never somebody else’s', async () => {
      const user = await application.user('several@example.org');
      const [second, third] = [await login(user), await login(user)];
      const other = (await sessionsOf(user)).find((session) => !session.current);
      const stranger = await application.user('stranger@example.org');
      await call('delete', `/me/sessions/${other?.id ?? ''}`, stranger).expect(404);
      await call('delete', `/me/sessions/${other?.id ?? ''}`, user).expect(204);
      await call('get', '/me', second).expect(401);
      await call('get', '/me', third).expect(200);
      expect((await call('delete', '/me/sessions', user).expect(200)).body).toEqual({ endedSessions: 1 });
      await call('get', '/me', third).expect(401);
      await call('get', '/me', user).expect(200);
      expect(await sessionsOf(user)).toHaveLength(1);
    });

    it('of others are for administrators', async () => {
      const user = await application.user('watched@example.org');
      await call('get', `/users/${admin.id}/sessions`, user).expect(403);
      await call('delete', `/users/${admin.id}/sessions`, user).expect(403);
      expect(await sessionsOf(admin, `/users/${user.id}/sessions`)).toHaveLength(1);
      expect((await call('delete', `/users/${user.id}/sessions`, admin).expect(200)).body).toEqual({ endedSessions: 1 });
      await call('get', '/me', user).expect(401);
      await application.http.post('/api/v1/auth/refresh').send({ refreshToken: user.refreshToken }).expect(401);
    });
  });

  describe('PATCH /users/:userId', () => {
    const change = (user: TestUser, userId: string, body: object) => call('patch', `/users/${userId}`, user, body);

    it('R20: disables: the session dies with it, API tokens too, and enabling brings none back', async () => {
      const user = await application.user('disabled@example.org');
      const body = (await call('post', '/me/tokens', user, { name: 'robot', scopes: ['read'] }).expect(201)).body as unknown;
      const token = { accessToken: (body as { token: string }).token };
      await call('get', '/teams', token).expect(200);
      expect((await change(admin, user.id, { disabled: true }).expect(200)).body).toMatchObject({ disabled: true });
      await call('get', '/me', user).expect(401);
      await call('get', '/teams', token).expect(401);
      await application.http.post('/api/v1/auth/refresh').send({ refreshToken: user.refreshToken }).expect(401);
      await application.http.post('/api/v1/auth/login').send({ email: user.email, password: user.password }).expect(401);
      await change(admin, user.id, { disabled: false }).expect(200);
      await call('get', '/me', user).expect(401);
      await login(user);
      expect((await auditOf(application, user.id)).map(({ action }) => action)).toEqual(
        expect.arrayContaining(['user.created', 'user.disabled', 'session.all-revoked', 'user.enabled']),
      );
    });

    it('gives and takes the administration of the platform at once', async () => {
      const user = await application.user('promoted@example.org');
      await change(admin, user.id, { platformAdmin: true }).expect(200);
      await call('get', '/invitations', user).expect(200);
      await change(user, user.id, { platformAdmin: false }).expect(200);
      await call('get', '/invitations', user).expect(403);
      await change(user, user.id, { platformAdmin: true }).expect(403);
    });

    it('refuses null, and what is not known', async () => {
      const user = await application.user('bad-body@example.org');
      for (const body of [{ disabled: null }, { platformAdmin: 'yes' }, { email: 'new@example.org' }, { passwordHash: 'x' }]) {
        await change(admin, user.id, body).expect(400);
      }
      await change(admin, '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55', { disabled: true }).expect(404);
    });
  });

  describe('the last administrator of the platform', () => {
    it('can be neither disabled, nor demoted, nor deleted, also not by two at once', async () => {
      for (const body of [{ disabled: true }, { platformAdmin: false }]) {
        expect((await call('patch', `/users/${admin.id}`, admin, body).expect(409)).body).toMatchObject({ code: 'LAST_PLATFORM_ADMIN' });
      }
      await call('delete', `/users/${admin.id}`, admin).expect(409);
    });

    it('cannot be disabled by another who is disabled by them at the same moment', async () => {
      const query = <T>(sql: string) => asSystem('test', () => application.app.get(DataSource).query<T>(sql));
      const first = await application.user('first@example.org', { platformAdmin: true });
      const second = await application.user('second@example.org', { platformAdmin: true });
      await query(`UPDATE users SET platform_admin = false WHERE email NOT IN ('first@example.org', 'second@example.org')`);
      const disable = (by: TestUser, whom: TestUser) =>
        call('patch', `/users/${whom.id}`, by, { disabled: true }).then(({ status }) => status);
      const statuses = await Promise.all([disable(first, second), disable(second, first)]);
      expect(statuses.filter((status) => status === 200)).toHaveLength(1);
      const left = await query<object[]>('SELECT id FROM users WHERE platform_admin AND disabled_at IS NULL');
      expect(left).toHaveLength(1);
      await query(`UPDATE users SET platform_admin = true WHERE email = 'platform@example.org'`);
    });
  });

  describe('DELETE /users/:userId', () => {
    it('takes the personal team along, and leaves what the user did in the audit log', async () => {
      const user = await application.user('leaving@example.org');
      await call('delete', `/users/${user.id}`, user).expect(403);
      await call('delete', `/users/${user.id}`, admin).expect(204);
      await call('get', '/me', user).expect(401);
      await call('get', `/users/${user.id}`, admin).expect(404);
      await call('get', `/teams/${user.teamId}`, admin).expect(404);
      const events = await auditOf(application, user.id);
      expect(events.map(({ action }) => action)).toEqual(expect.arrayContaining(['user.created', 'user.logged-in', 'user.deleted']));
      expect(events.at(-1)).toMatchObject({ actor_email: admin.email, subject_name: 'leaving@example.org' });
    });

    it('is refused while projects are in the personal team', async () => {
      const user = await application.user('busy@example.org');
      const spec = { name: 'shop', components: { cache: { port: 'valkey' } } };
      await application.http.put(`/api/v1/teams/${user.teamId}/projects/shop`).set(bearer(user)).send({ spec }).expect(201);
      const answer = await call('delete', `/users/${user.id}`, admin).expect(409);
      expect(answer.body).toMatchObject({ code: 'USER_HAS_PROJECTS', detail: expect.stringContaining('shop') as unknown });
      await call('get', '/me', user).expect(200);
    });

    it('R33: is refused for the last owner of another team', async () => {
      const user = await application.user('founder@example.org');
      await call('post', '/teams', user, { name: 'Orphans' }).expect(201);
      expect((await call('delete', `/users/${user.id}`, admin).expect(409)).body).toMatchObject({ code: 'LAST_OWNER' });
    });
  });
});
