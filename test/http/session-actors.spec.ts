import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ActorLoader } from '../../src/auth/actor-loader.js';
import { TRUSTED_MS } from '../../src/auth/session-actors.js';
import { asSystem } from '../../src/common/request-context.js';
import { Notifications } from '../../src/database/notifications.js';
import { DataSource } from 'typeorm';
import { TestApplication, type TestUser, bearer } from '../support/application.js';
import { until } from '../support/until.js';

const SLOW_MACHINE_MS = 5_000;

/** Two replicas on one database: what one changes, the other learns. */
describe('who is behind a session', () => {
  let here: TestApplication;
  let there: TestApplication;
  let owner: TestUser;
  let member: TestUser;
  let admin: TestUser;
  let teamId: string;

  beforeAll(async () => {
    here = await TestApplication.start();
    there = await TestApplication.start({ databaseUrl: here.config.databaseUrl, paths: here.config.paths });
    owner = await here.user('owner@example.org');
    admin = await here.user('admin@example.org', { platformAdmin: true });
    const team = await here.http.post('/api/v1/teams').set(bearer(owner)).send({ name: 'Crew' }).expect(201);
    teamId = (team.body as { id: string }).id;
  });

  afterAll(async () => {
    await there.stop();
    await here.stop();
  });

  beforeEach(async () => {
    member = await here.user(`member-${Date.now()}@example.org`);
    await here.http.put(`/api/v1/teams/${teamId}/members`).set(bearer(owner)).send({ email: member.email, role: 'viewer' }).expect(200);
  });

  const me = (at: TestApplication, user = member) => at.http.get('/api/v1/me').set(bearer(user));
  const team = (at: TestApplication) => at.http.get(`/api/v1/teams/${teamId}`).set(bearer(member));

  it('is asked of the database once for many requests', async () => {
    await me(here).expect(200);
    const load = jest.spyOn(here.app.get(ActorLoader, { strict: false }), 'load');
    for (let time = 0; time < 5; time += 1) await me(here).expect(200);
    expect(load.mock.calls.length).toBeLessThanOrEqual(1);
    load.mockRestore();
  });

  it('counts at once where it was changed, and there as soon as the database tells: a lost role', async () => {
    await team(here).expect(200);
    await team(there).expect(200);
    await here.http.delete(`/api/v1/teams/${teamId}/members/${member.id}`).set(bearer(owner)).expect(204);
    await team(here).expect(404);
    await until(async () => (await team(there)).status === 404, TRUSTED_MS + SLOW_MACHINE_MS);
  });

  it('counts at once: a new role', async () => {
    await here.http.delete(`/api/v1/teams/${teamId}/members/${member.id}`).set(bearer(owner)).expect(204);
    await team(here).expect(404);
    await here.http.put(`/api/v1/teams/${teamId}/members`).set(bearer(owner)).send({ email: member.email, role: 'viewer' }).expect(200);
    await team(here).expect(200);
  });

  it('R20: a disabled user is out at once here, and there within the stated seconds', async () => {
    await me(there).expect(200);
    await me(here).expect(200);
    await here.http.patch(`/api/v1/users/${member.id}`).set(bearer(admin)).send({ disabled: true }).expect(200);
    await me(here).expect(401);
    await until(async () => (await me(there)).status === 401, TRUSTED_MS + SLOW_MACHINE_MS);
  });

  it('R20: a session that ended behind the back of every replica is out within the stated seconds', async () => {
    await me(here).expect(200);
    await me(there).expect(200);
    await asSystem('test', () => here.app.get(DataSource).query('UPDATE sessions SET revoked_at = now() WHERE user_id = $1', [member.id]));
    await until(async () => (await me(here)).status === 401 && (await me(there)).status === 401, TRUSTED_MS + SLOW_MACHINE_MS);
  });

  it('is asked for on each request while the database cannot tell of changes', async () => {
    await me(here).expect(200);
    const connected = jest.spyOn(here.app.get(Notifications, { strict: false }), 'connected', 'get').mockReturnValue(false);
    const load = jest.spyOn(here.app.get(ActorLoader, { strict: false }), 'load');
    for (let time = 0; time < 3; time += 1) await me(here).expect(200);
    expect(load).toHaveBeenCalledTimes(3);
    for (const spy of [connected, load]) spy.mockRestore();
  });
});
