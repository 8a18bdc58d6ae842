import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApplication, type TestUser, bearer } from '../support/application.js';

interface UserBody {
  id: string;
  email: string;
  initialPassword?: string;
}

describe('users', () => {
  let application: TestApplication;
  let platform: TestUser;
  let ada: TestUser;

  const create = (user: TestUser, body: object) => application.http.post('/api/v1/users').set(bearer(user)).send(body);
  const get = (user: TestUser, path = '') => application.http.get(`/api/v1/users${path}`).set(bearer(user));
  const login = (email: string, password: string) => application.http.post('/api/v1/auth/login').send({ email, password });

  beforeAll(async () => {
    application = await TestApplication.start();
    platform = await application.user('platform@example.org', { platformAdmin: true });
    ada = await application.user('ada@example.org');
  });

  afterAll(async () => {
    await application.stop();
  });

  describe('POST /users', () => {
    it('opens an account with a personal team and a generated password that is shown once', async () => {
      const created = (await create(platform, { email: 'Grace@example.org' }).expect(201)).body as UserBody;
      expect(created.email).toBe('grace@example.org');
      await login('grace@example.org', created.initialPassword ?? '').expect(200);
      const shown = (await get(platform, `/${created.id}`).expect(200)).body as UserBody;
      expect(Object.keys(shown).sort()).toEqual(['createdAt', 'disabled', 'email', 'id', 'platformAdmin']);
    });

    it('takes a given password, and does not repeat it', async () => {
      const answer = await create(platform, { email: 'given@example.org', password: 'a rather long passphrase' }).expect(201);
      expect(answer.text).not.toContain('passphrase');
      await login('given@example.org', 'a rather long passphrase').expect(200);
    });

    it('gives users of the same name in different domains different teams', async () => {
      const slugs = new Set<string>();
      for (const domain of ['a.example.org', 'b.example.org']) {
        const { initialPassword } = (await create(platform, { email: `same@${domain}` }).expect(201)).body as UserBody;
        const { accessToken } = (await login(`same@${domain}`, initialPassword ?? '').expect(200)).body as { accessToken: string };
        const me = (await application.http.get('/api/v1/me').set(bearer({ accessToken })).expect(200)).body as {
          teams: { slug: string }[];
        };
        for (const team of me.teams) slugs.add(team.slug);
      }
      expect(slugs.size).toBe(2);
      expect([...slugs].every((slug) => slug === 'same' || /^same-[a-z0-9]{4}$/.test(slug))).toBe(true);
    });

    it.each([
      ['a space of no width behind it', 'ada@example.org\u200b'],
      ['a letter that only looks like k', '\u212aate@example.org'],
      ['an accent of its own', 'e\u0301ve@example.org'],
      ['a quoted space', '"a da"@example.org'],
    ])('refuses an address that people would take for another one: %s', async (_what, email) => {
      expect((await create(platform, { email }).expect(400)).body).toMatchObject({ code: 'EMAIL_MISLEADING' });
    });

    it('is for platform administrators', async () => {
      expect((await create(ada, { email: 'x@example.org' }).expect(403)).body).toMatchObject({ code: 'ACTION_FORBIDDEN' });
    });

    it('answers 409 for an address that has an account, in any case', async () => {
      expect((await create(platform, { email: 'ADA@example.org' }).expect(409)).body).toMatchObject({ code: 'EMAIL_TAKEN' });
    });

    it.each([
      [{}, 'email'],
      [{ email: 'no address' }, 'email'],
      [{ email: 'x@example.org', platformAdmin: true }, 'platformAdmin'],
      [{ email: 'x@example.org', teamId: 'x' }, 'teamId'],
      [{ email: 'x@example.org', password: 'short' }, 'password'],
      [{ email: 'x@example.org', password: 'password1234' }, 'password'],
      [{ email: 'somebody@example.org', password: 'somebody1234' }, 'password'],
    ])('refuses %j', async (body, path) => {
      const answer = await create(platform, body).expect(400);
      expect((answer.body as { errors: { path: string }[] }).errors.map((fault) => fault.path)).toContain(path);
    });
  });

  describe('GET /users', () => {
    it('shows everybody to platform administrators, and to others themselves', async () => {
      const emailsOf = async (user: TestUser) =>
        ((await get(user).expect(200)).body as { items: UserBody[] }).items.map((each) => each.email);
      expect(await emailsOf(platform)).toEqual(expect.arrayContaining(['platform@example.org', 'ada@example.org']));
      expect(await emailsOf(ada)).toEqual(['ada@example.org']);
    });
  });

  describe('GET /users/:userId', () => {
    it('shows oneself, and hides others as if they were not there', async () => {
      expect((await get(ada, `/${ada.id}`).expect(200)).body).toMatchObject({ email: 'ada@example.org' });
      await get(platform, `/${ada.id}`).expect(200);
      for (const id of [platform.id, '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55']) {
        expect((await get(ada, `/${id}`).expect(404)).body).toMatchObject({ code: 'USER_NOT_FOUND' });
      }
      await get(ada, '/none').expect(400);
    });
  });
});
