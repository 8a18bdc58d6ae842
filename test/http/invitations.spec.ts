import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { asSystem } from '../../src/common/request-context.js';
import { TestApplication, type TestUser, bearer } from '../support/application.js';
import { auditOf } from '../support/audit.js';

const PASSWORD = 'tulips never dance alone';

interface Created {
  id: string;
  link: string;
  mailed: boolean;
  email: string;
  role: string | null;
}

describe('invitations', () => {
  let application: TestApplication;
  let platform: TestUser;
  let owner: TestUser;
  let admin: TestUser;
  let developer: TestUser;
  let stranger: TestUser;
  let teamId: string;

  const call = (method: 'get' | 'post' | 'put' | 'delete', path: string, user: { accessToken: string } | null, body?: object) => {
    const request = application.http[method](`/api/v1${path}`);
    if (user) void request.set(bearer(user));
    return body === undefined ? request : request.send(body);
  };
  const invite = (user: TestUser, email: string, role: string, extra: object = {}) =>
    call('post', `/teams/${teamId}/invitations`, user, { email, role, ...extra });
  const created = async (user: TestUser, email: string, role = 'developer') => {
    const body = (await invite(user, email, role).expect(201)).body as Created;
    return { ...body, token: body.link.split('#')[1] ?? '' };
  };
  const accept = (token: string, password = PASSWORD) => call('post', '/auth/invitations/accept', null, { token, password });
  const roleOf = async (email: string) =>
    ((await call('get', `/teams/${teamId}/members`, owner).expect(200)).body as { items: { email: string; role: string }[] }).items.find(
      (member) => member.email === email,
    )?.role;

  beforeAll(async () => {
    application = await TestApplication.start({ publicUrl: 'https://hithe.example.org' });
    platform = await application.user('platform@example.org', { platformAdmin: true });
    owner = await application.user('owner@example.org');
    admin = await application.user('admin@example.org');
    developer = await application.user('developer@example.org');
    stranger = await application.user('stranger@example.org');
    teamId = ((await call('post', '/teams', owner, { name: 'Harbour crew' }).expect(201)).body as { id: string }).id;
    await call('put', `/teams/${teamId}/members`, owner, { email: admin.email, role: 'admin' }).expect(200);
    await call('put', `/teams/${teamId}/members`, owner, { email: developer.email, role: 'developer' }).expect(200);
  });

  afterAll(async () => {
    await application.stop();
  });

  describe('to a team', () => {
    it('opens an account, joins with the role, and logs in; the link works once', async () => {
      const { token, link, mailed, id } = await created(owner, 'Grace@example.org');
      expect(link).toMatch(/^https:\/\/hithe\.example\.org\/invitation#hithe_in_/);
      expect(mailed).toBe(false);
      const view = await call('post', '/auth/invitations/lookup', null, { token }).expect(200);
      expect(view.body).toMatchObject({
        email: 'grace@example.org',
        team: { id: teamId, name: 'Harbour crew' },
        role: 'developer',
        invitedBy: 'owner@example.org',
        hasAccount: false,
      });
      const grant = (await accept(token).expect(201)).body as { accessToken: string };
      const me = (await call('get', '/me', grant).expect(200)).body as { email: string; teams: { id: string; role: string }[] };
      expect(me.email).toBe('grace@example.org');
      expect(me.teams.map(({ role }) => role).sort()).toEqual(['developer', 'owner']);
      expect((await accept(token).expect(404)).body).toMatchObject({ code: 'LINK_INVALID' });
      const events = await auditOf(application, id);
      expect(events.map((event) => [event.action, event.actor_email, event.team_id])).toEqual([
        ['invitation.created', 'owner@example.org', teamId],
        ['invitation.accepted', 'grace@example.org', teamId],
      ]);
    });

    it('is accepted by an existing user as themselves, and by nobody else', async () => {
      const { token } = await created(admin, stranger.email, 'viewer');
      expect((await accept(token).expect(409)).body).toMatchObject({ code: 'ACCOUNT_EXISTS' });
      expect((await call('post', '/me/invitations/accept', platform, { token }).expect(403)).body).toMatchObject({
        code: 'INVITATION_FOR_SOMEBODY_ELSE',
      });
      await call('post', '/me/invitations/accept', stranger, { token }).expect(200);
      expect(await roleOf(stranger.email)).toBe('viewer');
      expect((await invite(owner, stranger.email, 'developer').expect(409)).body).toMatchObject({ code: 'ALREADY_MEMBER' });
    });

    it('gives no role above the own one, and is not for those who do not manage members', async () => {
      for (const role of ['owner', 'admin'])
        expect((await invite(admin, 'high@example.org', role).expect(403)).body).toMatchObject({ code: 'ROLE_TOO_HIGH' });
      await invite(developer, 'x@example.org', 'viewer').expect(403);
      const outsider = await application.user('outsider@example.org');
      await invite(outsider, 'x@example.org', 'viewer').expect(404);
      await call('get', `/teams/${teamId}/invitations`, outsider).expect(404);
      await call('get', `/teams/${teamId}/invitations`, developer).expect(403);
    });

    it('sends no flood of mails: an account invites fifty times an hour', async () => {
      const keen = await application.user('keen@example.org');
      const team = ((await call('post', '/teams', keen, { name: 'Keen crew' }).expect(201)).body as { id: string }).id;
      const ask = () => call('post', `/teams/${team}/invitations`, keen, { email: 'victim@example.org', role: 'viewer' });
      for (let sent = 0; sent < 50; sent += 1) await ask().expect(201);
      expect((await ask().expect(429)).body).toMatchObject({ code: 'TOO_MANY_ATTEMPTS' });
    });

    it('is listed without its token, replaced by a newer one, and can be revoked', async () => {
      const first = await created(owner, 'listed@example.org');
      const second = await created(owner, 'listed@example.org', 'viewer');
      const listed = await call('get', `/teams/${teamId}/invitations`, admin).expect(200);
      expect(listed.text).not.toContain('hithe_in_');
      const ids = (listed.body as { items: { id: string }[] }).items.map(({ id }) => id);
      expect(ids).toContain(second.id);
      expect(ids).not.toContain(first.id);
      await accept(first.token).expect(404);
      await call('delete', `/invitations/${second.id}`, developer).expect(403);
      await call('delete', `/invitations/${second.id}`, await application.user('elsewhere@example.org')).expect(404);
      await call('delete', `/invitations/${second.id}`, admin).expect(204);
      await call('delete', `/invitations/${second.id}`, admin).expect(404);
      await accept(second.token).expect(404);
    });

    it('gives no more than its maker may give when it is accepted', async () => {
      const leaver = await application.user('leaver@example.org');
      const join = (role: string) => call('put', `/teams/${teamId}/members`, owner, { email: leaver.email, role }).expect(200);
      await join('admin');
      const { token } = await created(leaver, 'backdoor@example.org');
      await call('post', '/auth/invitations/lookup', null, { token }).expect(200);
      await join('viewer');
      expect((await accept(token).expect(404)).body).toMatchObject({ code: 'LINK_INVALID' });
      await call('delete', `/teams/${teamId}/members/${leaver.id}`, owner).expect(204);
      expect((await accept(token).expect(404)).body).toMatchObject({ code: 'LINK_INVALID' });
      await call('post', '/auth/invitations/lookup', null, { token }).expect(404);
      expect(await roleOf('backdoor@example.org')).toBeUndefined();
      await join('admin');
      await accept(token).expect(201);
      expect(await roleOf('backdoor@example.org')).toBe('developer');
    });

    it('expires', async () => {
      const { token, id } = await created(owner, 'late@example.org');
      await asSystem('test', () =>
        application.app.get(DataSource).query(`UPDATE invitations SET expires_at = now() - interval '1 second' WHERE id = $1`, [id]),
      );
      await accept(token).expect(404);
      await call('post', '/auth/invitations/lookup', null, { token }).expect(404);
    });

    it('of two who accept at once lets one win', async () => {
      const { token } = await created(owner, 'race@example.org');
      const answers = await Promise.all([accept(token), accept(token), accept(token)]);
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      expect(answers.filter(({ status }) => status !== 201).every(({ status }) => status === 404 || status === 409)).toBe(true);
    });

    it('names the fault of a bad body, and does not use the link up for a bad password', async () => {
      await invite(owner, 'no address', 'developer').expect(400);
      await invite(owner, 'x@example.org', 'king').expect(400);
      await invite(owner, 'x@example.org', 'viewer', { days: 31 }).expect(400);
      const { token } = await created(owner, 'weak@example.org');
      await accept(token, 'password1234').expect(400);
      await accept(token).expect(201);
    });
  });

  describe('to the platform', () => {
    it('is for administrators, and opens an account without a team beside the personal one', async () => {
      await call('post', '/invitations', owner, { email: 'new@example.org' }).expect(403);
      await call('get', '/invitations', owner).expect(403);
      const body = (await call('post', '/invitations', platform, { email: 'new@example.org', days: 1 }).expect(201)).body as unknown;
      const { link, id } = body as Created;
      expect((await call('get', '/invitations', platform).expect(200)).body).toMatchObject({ items: [{ id, teamId: null, role: null }] });
      await call('delete', `/invitations/${id}`, owner).expect(404);
      const grant = (await accept(link.split('#')[1] ?? '').expect(201)).body as { accessToken: string };
      expect(((await call('get', '/me', grant).expect(200)).body as { teams: object[] }).teams).toHaveLength(1);
      expect((await call('post', '/invitations', platform, { email: 'new@example.org' }).expect(409)).body).toMatchObject({
        code: 'EMAIL_TAKEN',
      });
    });
  });
});
