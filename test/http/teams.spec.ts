import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { asSystem } from '../../src/common/request-context.js';
import { TestApplication, type TestUser, bearer } from '../support/application.js';
import { eventsOf } from '../support/audit-events.js';

interface Page {
  items: { id: string }[];
  nextCursor: string | null;
}

type Role = 'owner' | 'admin' | 'developer' | 'viewer' | 'auditor';

describe('teams', () => {
  let application: TestApplication;
  let owner: TestUser;
  let admin: TestUser;
  let developer: TestUser;
  let viewer: TestUser;
  let stranger: TestUser;
  let platform: TestUser;
  let teamId: string;

  const create = (user: TestUser, body: object) => application.http.post('/api/v1/teams').set(bearer(user)).send(body);
  const put = (user: TestUser, email: string, role: Role) =>
    application.http.put(`/api/v1/teams/${teamId}/members`).set(bearer(user)).send({ email, role });
  const remove = (user: TestUser, member: TestUser) =>
    application.http.delete(`/api/v1/teams/${teamId}/members/${member.id}`).set(bearer(user));
  const get = (user: TestUser, path = '') => application.http.get(`/api/v1/teams${path}`).set(bearer(user));

  beforeAll(async () => {
    application = await TestApplication.start();
    owner = await application.user('owner@example.org');
    admin = await application.user('admin@example.org');
    developer = await application.user('developer@example.org');
    viewer = await application.user('viewer@example.org');
    stranger = await application.user('stranger@example.org');
    platform = await application.user('platform@example.org', { platformAdmin: true });
  });

  beforeEach(async () => {
    teamId = (
      (await create(owner, { name: 'Harbour crew', slug: `crew-${Math.random().toString(36).slice(2)}` }).expect(201)).body as {
        id: string;
      }
    ).id;
    await put(owner, admin.email, 'admin').expect(200);
    await put(owner, developer.email, 'developer').expect(200);
    await put(owner, viewer.email, 'viewer').expect(200);
  });

  afterAll(async () => {
    await application.stop();
  });

  describe('POST /teams', () => {
    it('keeps slugs of the identity provider’s groups for administrators, and nobody founds teams without end', async () => {
      application.config.oidcGroups = { crew: { platformAdmin: false, teams: { 'mapped-crew': 'developer' } } };
      try {
        for (const team of [{ name: 'x', slug: 'mapped-crew' }, { name: 'Mapped crew' }])
          expect((await create(stranger, team).expect(409)).body).toMatchObject({ code: 'TEAM_SLUG_RESERVED' });
        await create(platform, { name: 'Mapped crew' }).expect(201);
      } finally {
        delete application.config.oidcGroups;
      }
      const founder = await application.user('founder@example.org');
      // Their personal team is the first.
      for (let count = 1; count < 100; count += 1) await create(founder, { name: 'Colony', slug: `colony-${count}` }).expect(201);
      expect((await create(founder, { name: 'One more' }).expect(429)).body).toMatchObject({ code: 'TEAMS_TOO_MANY' });
    });

    it('makes the caller the owner, derives the slug, and never gives a number twice', async () => {
      const first = (await create(owner, { name: 'Zoë’s  Team!' }).expect(201)).body as { slug: string; number: number };
      expect(first).toMatchObject({ slug: 'zoe-s-team', role: 'owner', personal: false });
      await create(owner, { name: 'Zoë’s Team' }).expect(409);
      const second = (await create(owner, { name: 'Another' }).expect(201)).body as { number: number };
      expect(second.number).toBeGreaterThan(first.number);
    });

    it.each([
      [{}, 'name'],
      [{ name: '' }, 'name'],
      [{ name: 'x', slug: '../etc' }, 'slug'],
      [{ name: 'x', slug: 'UPPER' }, 'slug'],
      [{ name: 'x', number: 1 }, 'number'],
      [{ name: 'x', role: 'owner' }, 'role'],
    ])('refuses %j', async (body, path) => {
      const answer = await create(owner, body).expect(400);
      expect((answer.body as { errors: { path: string }[] }).errors.map((fault) => fault.path)).toContain(path);
    });

    it('answers 409 for a slug that is taken', async () => {
      await create(owner, { name: 'x', slug: 'taken' }).expect(201);
      expect((await create(stranger, { name: 'x', slug: 'taken' }).expect(409)).body).toMatchObject({ code: 'TEAM_SLUG_TAKEN' });
    });
  });

  describe('GET /teams', () => {
    it('lists the teams of the caller only, in pages', async () => {
      const seen = ((await get(stranger).expect(200)).body as { items: { id: string }[] }).items.map((team) => team.id);
      expect(seen).toContain(stranger.teamId);
      expect(seen).not.toContain(teamId);
      const ids: string[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const page = (await get(owner, `?limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`).expect(200)).body as Page;
        expect(page.items).toHaveLength(1);
        ids.push(...page.items.map((team) => team.id));
        cursor = page.nextCursor;
      }
      const all = ((await get(owner).expect(200)).body as { items: { id: string }[] }).items.map((team) => team.id);
      expect(ids).toEqual(all);
      expect(ids).toEqual([...ids].sort());
    });

    it('refuses a cursor that it did not give out, and a limit out of bounds', async () => {
      expect((await get(owner, '?cursor=abc').expect(400)).body).toMatchObject({ code: 'CURSOR_INVALID' });
      await get(owner, '?limit=0').expect(400);
      await get(owner, '?limit=1000').expect(400);
      await get(owner, '?teamId=x').expect(400);
    });

    it('shows all teams to a platform administrator, who has no role in them', async () => {
      expect((await get(platform, `/${teamId}`).expect(200)).body).toMatchObject({ id: teamId, role: null });
    });
  });

  describe('another tenant’s team', () => {
    it('looks like one that does not exist', async () => {
      const absent = '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55';
      for (const id of [teamId, absent]) {
        expect((await get(stranger, `/${id}`).expect(404)).body).toMatchObject({
          code: 'TEAM_NOT_FOUND',
          detail: `There is no team "${id}" that you can see.`,
        });
        await get(stranger, `/${id}/members`).expect(404);
        await application.http
          .put(`/api/v1/teams/${id}/members`)
          .set(bearer(stranger))
          .send({ email: stranger.email, role: 'owner' })
          .expect(404);
        await application.http.delete(`/api/v1/teams/${id}/members/${owner.id}`).set(bearer(stranger)).expect(404);
      }
    });

    it('is 400 when the id is none', async () => {
      expect((await get(owner, '/none').expect(400)).body).toMatchObject({
        errors: [expect.objectContaining({ path: 'teamId', code: 'ID_INVALID' })],
      });
    });
  });

  describe('members', () => {
    it('are seen by every member', async () => {
      const answer = (await get(viewer, `/${teamId}/members`).expect(200)).body as { items: { email: string; role: Role }[] };
      expect(answer.items.map((member) => [member.email, member.role])).toEqual([
        ['owner@example.org', 'owner'],
        ['admin@example.org', 'admin'],
        ['developer@example.org', 'developer'],
        ['viewer@example.org', 'viewer'],
      ]);
    });

    it('are managed by owners', async () => {
      expect((await put(owner, stranger.email, 'admin').expect(200)).body).toMatchObject({ userId: stranger.id, role: 'admin' });
      await remove(owner, stranger).expect(204);
      await remove(owner, stranger).expect(404);
    });

    it('are managed by admins below their own role', async () => {
      await put(admin, stranger.email, 'developer').expect(200);
      await put(admin, viewer.email, 'developer').expect(200);
      for (const role of ['owner', 'admin'] as const)
        expect((await put(admin, stranger.email, role).expect(403)).body).toMatchObject({ code: 'ROLE_TOO_HIGH' });
      await put(admin, owner.email, 'viewer').expect(403);
      await remove(admin, owner).expect(403);
      await remove(admin, viewer).expect(204);
    });

    it('are not managed by developers, viewers and platform administrators', async () => {
      for (const user of [developer, viewer, platform]) {
        await put(user, stranger.email, 'viewer').expect(403);
        await remove(user, owner).expect(403);
      }
    });

    it('may leave', async () => {
      await remove(viewer, viewer).expect(204);
      await get(viewer, `/${teamId}`).expect(404);
    });

    it('keep at least one owner, even when two leave at once', async () => {
      expect((await remove(owner, owner).expect(409)).body).toMatchObject({ code: 'LAST_OWNER' });
      expect((await put(owner, owner.email, 'viewer').expect(409)).body).toMatchObject({ code: 'LAST_OWNER' });
      await put(owner, admin.email, 'owner').expect(200);
      const answers = await Promise.all([remove(owner, owner), remove(admin, admin)]);
      expect(answers.map((answer) => answer.status).sort()).toEqual([204, 409]);
    });

    it.each([
      [{ email: 'owner@example.org' }, 'role'],
      [{ email: 'owner@example.org', role: 'king' }, 'role'],
      [{ email: 'nobody', role: 'viewer' }, 'email'],
    ])('refuse %j', async (body, path) => {
      const answer = await application.http.put(`/api/v1/teams/${teamId}/members`).set(bearer(owner)).send(body).expect(400);
      expect((answer.body as { errors: { path: string }[] }).errors.map((fault) => fault.path)).toContain(path);
    });

    it('must be users', async () => {
      expect((await put(owner, 'nobody@example.org', 'viewer').expect(404)).body).toMatchObject({ code: 'USER_NOT_FOUND' });
    });
  });

  describe('PATCH /teams/:teamId', () => {
    const rename = (user: TestUser, body: object) => application.http.patch(`/api/v1/teams/${teamId}`).set(bearer(user)).send(body);

    it('renames; the slug stays', async () => {
      const before = (await get(owner, `/${teamId}`).expect(200)).body as { slug: string };
      expect((await rename(admin, { name: 'Lock keepers' }).expect(200)).body).toMatchObject({ name: 'Lock keepers', slug: before.slug });
      expect(await eventsOf(application, teamId)).toContainEqual(
        expect.objectContaining({ action: 'team.renamed', before: { name: 'Harbour crew' }, after: { name: 'Lock keepers' } }),
      );
    });

    it('is for owners and admins', async () => {
      for (const user of [developer, viewer, platform]) await rename(user, { name: 'x' }).expect(403);
      await rename(stranger, { name: 'x' }).expect(404);
    });

    it.each([[{}], [{ name: '' }], [{ name: 'x', slug: 'y' }], [{ name: 'x', personalOf: null }]])('refuses %j', async (body) => {
      await rename(owner, body).expect(400);
    });
  });

  describe('DELETE /teams/:teamId', () => {
    const removeTeam = (user: TestUser, id: string, confirm: string) =>
      application.http.delete(`/api/v1/teams/${id}?confirm=${confirm}`).set(bearer(user));
    const slugOf = async () => ((await get(owner, `/${teamId}`).expect(200)).body as { slug: string }).slug;

    it('asks for the slug, and takes members and roles with it', async () => {
      expect((await removeTeam(owner, teamId, 'wrong').expect(400)).body).toMatchObject({ code: 'CONFIRMATION_WRONG' });
      await removeTeam(owner, teamId, await slugOf()).expect(204);
      await get(owner, `/${teamId}`).expect(404);
      expect((await eventsOf(application, teamId)).at(-1)).toMatchObject({ action: 'team.deleted', before: { name: 'Harbour crew' } });
    });

    it('is for owners and platform administrators', async () => {
      const slug = await slugOf();
      for (const user of [admin, developer, viewer]) await removeTeam(user, teamId, slug).expect(403);
      await removeTeam(stranger, teamId, slug).expect(404);
      await removeTeam(platform, teamId, slug).expect(204);
      expect((await eventsOf(application, teamId)).at(-1)).toMatchObject({ action: 'team.deleted', actor: platform.email });
    });

    it('names the projects that are in the way', async () => {
      const spec = { name: 'shop', components: { db: { port: 'postgres', version: '17' } } };
      await application.http.put(`/api/v1/teams/${teamId}/projects/shop`).set(bearer(owner)).send({ spec }).expect(201);
      expect((await removeTeam(owner, teamId, await slugOf()).expect(409)).body).toMatchObject({
        code: 'TEAM_HAS_PROJECTS',
        detail: expect.stringContaining('shop') as unknown,
      });
    });

    it('leaves personal teams to their users', async () => {
      const { slug } = (await get(owner, `/${owner.teamId}`).expect(200)).body as { slug: string };
      for (const user of [owner, platform])
        expect((await removeTeam(user, owner.teamId, slug).expect(409)).body).toMatchObject({ code: 'TEAM_PERSONAL' });
    });
  });

  describe('POST /teams/:teamId/transfer', () => {
    const transfer = (user: TestUser, email: string, id = teamId) =>
      application.http.post(`/api/v1/teams/${id}/transfer`).set(bearer(user)).send({ email });
    const roles = async () =>
      Object.fromEntries(
        ((await get(admin, `/${teamId}/members`).expect(200)).body as { items: { email: string; role: string }[] }).items.map((member) => [
          member.email,
          member.role,
        ]),
      );

    it('makes the other an owner and the caller an admin', async () => {
      expect((await transfer(owner, developer.email).expect(200)).body).toMatchObject({ role: 'admin' });
      expect(await roles()).toMatchObject({ [developer.email]: 'owner', [owner.email]: 'admin' });
      await transfer(owner, owner.email).expect(403);
      expect((await eventsOf(application, teamId)).at(-2)).toMatchObject({
        action: 'team.transferred',
        before: { owners: [owner.id] },
        after: { owners: [developer.id] },
      });
    });

    it('takes in somebody who was no member', async () => {
      await transfer(owner, stranger.email).expect(200);
      expect(await roles()).toMatchObject({ [stranger.email]: 'owner', [owner.email]: 'admin' });
    });

    it('by a platform administrator makes all owners before admins', async () => {
      await put(owner, viewer.email, 'owner').expect(200);
      expect((await transfer(platform, developer.email).expect(200)).body).toMatchObject({ role: null });
      expect(await roles()).toMatchObject({ [developer.email]: 'owner', [owner.email]: 'admin', [viewer.email]: 'admin' });
    });

    it('is for owners and platform administrators, and for teams of their own', async () => {
      await transfer(admin, admin.email).expect(403);
      await transfer(stranger, stranger.email).expect(404);
      await transfer(owner, 'nobody@example.org').expect(404);
      expect((await transfer(owner, owner.email).expect(409)).body).toMatchObject({ code: 'TEAM_ALREADY_OWNED' });
      expect((await transfer(platform, platform.email).expect(409)).body).toMatchObject({ code: 'TEAM_TO_ONESELF' });
      expect((await transfer(owner, viewer.email, owner.teamId).expect(409)).body).toMatchObject({ code: 'TEAM_PERSONAL' });
    });

    it('happens once when it is asked for twice at the same moment', async () => {
      const answers = await Promise.all([transfer(owner, developer.email), transfer(owner, viewer.email)]);
      expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
      expect(Object.values(await roles()).filter((role) => role === 'owner')).toHaveLength(1);
    });
  });

  describe('R33: the last owner cannot go', () => {
    it('by leaving, by being removed, by another role', async () => {
      expect((await remove(owner, owner).expect(409)).body).toMatchObject({ code: 'LAST_OWNER' });
      expect((await put(owner, owner.email, 'admin').expect(409)).body).toMatchObject({ code: 'LAST_OWNER' });
    });

    it('nor when two owners leave, or lower each other, at the same moment', async () => {
      for (let round = 0; round < 5; round += 1) {
        await put(owner, admin.email, 'owner').expect(200);
        const answers = await Promise.all([put(owner, admin.email, 'admin'), put(admin, owner.email, 'admin')]);
        const statuses = answers.map((answer) => answer.status).sort();
        expect(statuses[0]).toBe(200);
        expect([403, 409]).toContain(statuses[1]);
        const owners = (
          (await get(viewer, `/${teamId}/members`).expect(200)).body as { items: { userId: string; role: string }[] }
        ).items.filter((member) => member.role === 'owner');
        expect(owners).toHaveLength(1);
        if (owners[0]?.userId === admin.id) {
          await put(admin, owner.email, 'owner').expect(200);
          await put(owner, admin.email, 'admin').expect(200);
        }
      }
    });

    it('nor when the other owner cannot log in any more', async () => {
      await put(owner, viewer.email, 'owner').expect(200);
      await asSystem('test', () =>
        application.app.get(DataSource).query('UPDATE users SET disabled_at = now() WHERE id = $1', [viewer.id]),
      );
      expect((await remove(owner, owner).expect(409)).body).toMatchObject({ code: 'LAST_OWNER' });
      await asSystem('test', () => application.app.get(DataSource).query('UPDATE users SET disabled_at = NULL WHERE id = $1', [viewer.id]));
      await remove(owner, owner).expect(204);
    });
  });

  it('members: every change is an event of the team', async () => {
    await put(owner, stranger.email, 'viewer').expect(200);
    await put(owner, stranger.email, 'viewer').expect(200);
    await put(owner, stranger.email, 'auditor').expect(200);
    await remove(owner, stranger).expect(204);
    const events = (await eventsOf(application, teamId)).filter((event) => event.subjectId === stranger.id);
    expect(events.map(({ action, before, after }) => ({ action, before, after }))).toEqual([
      { action: 'member.added', before: null, after: { role: 'viewer' } },
      { action: 'member.role-changed', before: { role: 'viewer' }, after: { role: 'auditor' } },
      { action: 'member.removed', before: { role: 'auditor' }, after: null },
    ]);
  });
});
