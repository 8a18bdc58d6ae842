import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { asSystem } from '../../src/common/request-context.js';
import { TestApplication, type TestUser, bearer } from '../support/application.js';
import { eventsOf } from '../support/audit-events.js';

interface Case {
  id: string;
  reason: string;
  email: string;
  active: boolean;
  endedAt: string | null;
}

const REASON = 'The team is unreachable and its database leaks.';
const SPEC = { name: 'shop', components: { db: { port: 'postgres', version: '17', vars: { POSTGRES_PASSWORD: 'hidden-in-the-vault' } } } };

describe('broken glass', () => {
  let application: TestApplication;
  let owner: TestUser;
  let admin: TestUser;
  let developer: TestUser;
  let platform: TestUser;
  let other: TestUser;
  let teamId: string;
  let projectId: string;

  const call = (user: TestUser, method: 'get' | 'post' | 'put' | 'delete', path: string, body?: object) => {
    const request = application.http[method](`/api/v1${path}`).set(bearer(user));
    return body === undefined ? request : request.send(body);
  };
  const smash = (user: TestUser, body: object = { reason: REASON, minutes: 5 }, team = teamId) =>
    call(user, 'post', `/teams/${team}/break-glass`, body);
  const reveal = (user: TestUser) =>
    call(user, 'post', `/projects/${projectId}/variables/reveal`, { names: ['POSTGRES_PASSWORD'], component: 'db' });

  beforeAll(async () => {
    application = await TestApplication.start();
    owner = await application.user('owner@example.org');
    admin = await application.user('admin@example.org');
    developer = await application.user('developer@example.org');
    platform = await application.user('platform@example.org', { platformAdmin: true });
    other = await application.user('other@example.org', { platformAdmin: true });
    await call(platform, 'post', '/me/reauthenticate', { password: platform.password }).expect(204);
  });

  beforeEach(async () => {
    teamId = (
      (await call(owner, 'post', '/teams', { name: 'Crew', slug: `crew-${Math.random().toString(36).slice(2)}` }).expect(201)).body as {
        id: string;
      }
    ).id;
    await call(owner, 'put', `/teams/${teamId}/members`, { email: admin.email, role: 'admin' }).expect(200);
    await call(owner, 'put', `/teams/${teamId}/members`, { email: developer.email, role: 'developer' }).expect(200);
    projectId = ((await call(owner, 'put', `/teams/${teamId}/projects/shop`, { spec: SPEC }).expect(201)).body as { id: string }).id;
  });

  afterAll(async () => {
    await application.stop();
  });

  it('gives a platform administrator what the table says, on that team, until it is ended', async () => {
    await reveal(platform).expect(403);
    const opened = (await smash(platform).expect(201)).body as Case;
    expect(opened).toMatchObject({ reason: REASON, email: platform.email, active: true, endedAt: null });
    expect((await reveal(platform)).status).toBe(200);
    await reveal(other).expect(403);
    await call(platform, 'get', `/projects/${projectId}/logs`).expect(403);
    await call(platform, 'post', `/projects/${projectId}/deployments`, { kind: 'deploy' }).expect(403);
    await call(platform, 'put', `/teams/${teamId}/members`, { email: platform.email, role: 'owner' }).expect(403);
    await call(platform, 'delete', `/teams/${teamId}/break-glass/${opened.id}`).expect(204);
    await reveal(platform).expect(403);
  });

  it('asks for a fresh proof, also right after the log-in, and holds it against nobody who may not break it anyway', async () => {
    const refused = await smash(other).expect(403);
    expect(refused.body).toMatchObject({
      code: 'REAUTHENTICATION_REQUIRED',
      fix: expect.stringContaining('/me/reauthenticate') as unknown,
    });
    expect((await smash(owner).expect(403)).body).toMatchObject({ code: 'ACTION_FORBIDDEN' });
    await call(other, 'post', '/me/reauthenticate', { password: 'not the passphrase' }).expect(403);
    await smash(other).expect(403);
    await call(other, 'post', '/me/reauthenticate', { password: other.password }).expect(204);
    await smash(other).expect(201);
    await asSystem('test', () =>
      application.app.get(DataSource).query(`UPDATE sessions SET proved_at = now() - interval '5 minutes' WHERE user_id = $1`, [other.id]),
    );
    await smash(other).expect(403);
  });

  it('ends with its time', async () => {
    const opened = (await smash(platform).expect(201)).body as Case;
    expect((await reveal(platform)).status).toBe(200);
    await asSystem('test', () =>
      application.app.get(DataSource).query(`UPDATE broken_glass SET expires_at = now() WHERE id = $1`, [opened.id]),
    );
    await reveal(platform).expect(403);
    const listed = (await call(owner, 'get', `/teams/${teamId}/break-glass`).expect(200)).body as { items: Case[] };
    expect(listed.items).toMatchObject([{ id: opened.id, active: false, endedAt: null }]);
  });

  it('is in the open: the team sees the case, and every use of it', async () => {
    const opened = (await smash(platform).expect(201)).body as Case;
    await reveal(platform).expect(200);
    await call(owner, 'delete', `/teams/${teamId}/break-glass/${opened.id}`).expect(204);
    for (const user of [owner, admin, platform, other]) {
      const listed = (await call(user, 'get', `/teams/${teamId}/break-glass`).expect(200)).body as { items: Case[] };
      expect(listed.items).toMatchObject([{ id: opened.id, email: platform.email, reason: REASON, active: false }]);
    }
    const events = (await eventsOf(application, teamId)).filter(({ details }) => details?.['breakGlassId'] === opened.id);
    expect(events.map(({ action, actor }) => ({ action, actor }))).toEqual([
      { action: 'access.broken-glass', actor: platform.email },
      { action: 'secret.revealed', actor: platform.email },
      { action: 'access.glass-mended', actor: owner.email },
    ]);
    expect(JSON.stringify(events)).not.toContain('hidden-in-the-vault');
  });

  it('is for platform administrators to break', async () => {
    for (const user of [owner, admin, developer]) await smash(user).expect(403);
    await call(developer, 'get', `/teams/${teamId}/break-glass`).expect(403);
    const opened = (await smash(platform).expect(201)).body as Case;
    for (const user of [admin, developer]) await call(user, 'delete', `/teams/${teamId}/break-glass/${opened.id}`).expect(403);
    await call(owner, 'delete', `/teams/${owner.teamId}/break-glass/${opened.id}`).expect(404);
    const stranger = await application.user(`stranger-${Math.random().toString(36).slice(2)}@example.org`);
    for (const method of ['get', 'post'] as const) await call(stranger, method, `/teams/${teamId}/break-glass`).expect(404);
    await call(stranger, 'delete', `/teams/${teamId}/break-glass/${opened.id}`).expect(404);
  });

  it.each([
    [{ minutes: 5 }, 'reason'],
    [{ reason: 'short', minutes: 5 }, 'reason'],
    [{ reason: REASON }, 'minutes'],
    [{ reason: REASON, minutes: 0 }, 'minutes'],
    [{ reason: REASON, minutes: 61 }, 'minutes'],
    [{ reason: REASON, minutes: 5, userId: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' }, 'userId'],
  ])('refuses %j', async (body, path) => {
    const answer = await smash(platform, body).expect(400);
    expect((answer.body as { errors: { path: string }[] }).errors.map((fault) => fault.path)).toContain(path);
  });
});
