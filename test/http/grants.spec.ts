import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { TestUser } from '../support/application.js';
import { bearer } from '../support/application.js';
import { eventsOf } from '../support/audit-events.js';
import { TestPlatform } from '../support/platform.js';

const specOf = (name: string, vars: object = {}) => ({ name, components: { db: { port: 'postgres', version: '17', vars } } });

describe('grants and protection', () => {
  let platform: TestPlatform;
  let owner: TestUser;
  let developer: TestUser;
  let viewer: TestUser;
  let stranger: TestUser;
  let teamId: string;
  let projectId: string;
  let name: string;

  const call = (user: TestUser, method: 'get' | 'post' | 'put' | 'delete', path: string, body?: object) => {
    const request = platform.application.http[method](`/api/v1${path}`).set(bearer(user));
    return body === undefined ? request : request.send(body);
  };
  const apply = (user: TestUser, vars: object = {}) => call(user, 'put', `/teams/${teamId}/projects/${name}`, { spec: specOf(name, vars) });
  const operate = (user: TestUser, kind = 'deploy') => call(user, 'post', `/projects/${projectId}/deployments`, { kind });
  const grant = (user: TestUser, to: object) => call(user, 'put', `/projects/${projectId}/grants`, to);
  const protect = (user: TestUser, on: boolean) => call(user, 'put', `/projects/${projectId}/protection`, { protected: on });

  beforeAll(async () => {
    platform = await TestPlatform.start();
    owner = await platform.application.user('owner@example.org');
    developer = await platform.application.user('developer@example.org');
    viewer = await platform.application.user('viewer@example.org');
    stranger = await platform.application.user('stranger@example.org');
  });

  beforeEach(async () => {
    teamId = (
      (await call(owner, 'post', '/teams', { name: 'Crew', slug: `crew-${Math.random().toString(36).slice(2)}` }).expect(201)).body as {
        id: string;
      }
    ).id;
    await call(owner, 'put', `/teams/${teamId}/members`, { email: developer.email, role: 'developer' }).expect(200);
    await call(owner, 'put', `/teams/${teamId}/members`, { email: viewer.email, role: 'viewer' }).expect(200);
    name = 'shop';
    projectId = ((await apply(owner).expect(201)).body as { id: string }).id;
  });

  afterAll(async () => {
    await platform.stop();
  });

  it('count when somebody issues a token of a service account: nobody acts by a grant that is beyond them', async () => {
    const base = `/teams/${teamId}/service-accounts`;
    const account = (await call(owner, 'post', base, { name: 'deployer', role: 'viewer' }).expect(201)).body as { id: string };
    const rules = [
      { action: ['read', 'read-logs'], subject: 'Project' },
      { action: 'manage-tokens', subject: 'Team' },
    ];
    const role = (await call(owner, 'post', `/teams/${teamId}/roles`, { name: 'issuer', rules }).expect(201)).body as { id: string };
    await call(owner, 'put', `/teams/${teamId}/members`, { email: viewer.email, roleId: role.id }).expect(200);
    const issue = () => call(viewer, 'post', `${base}/${account.id}/tokens`, { name: 'ci', scopes: ['deploy', 'secret:write'] });
    await issue().expect(201);
    await grant(owner, { userId: account.id, role: 'admin' }).expect(200);
    expect((await issue().expect(403)).body).toMatchObject({ code: 'ROLE_TOO_HIGH' });
    expect((await call(viewer, 'delete', `${base}/${account.id}`).expect(403)).body).toMatchObject({ code: 'ROLE_TOO_HIGH' });
  });

  it('a protected project is out of reach of developers, until they are on its list', async () => {
    await apply(developer, { POSTGRES_DB: 'one' }).expect(200);
    expect((await protect(owner, true).expect(200)).body).toEqual({ protected: true });
    expect((await call(viewer, 'get', `/projects/${projectId}`).expect(200)).body).toMatchObject({ protected: true });
    await apply(developer, { POSTGRES_DB: 'two' }).expect(403);
    for (const kind of ['deploy', 'start', 'stop', 'restart'])
      expect((await operate(developer, kind).expect(403)).body).toMatchObject({ code: 'ACTION_FORBIDDEN' });
    await call(developer, 'post', `/teams/${teamId}/plan`, { spec: specOf(name) }).expect(403);
    await grant(owner, { email: developer.email, role: 'developer' }).expect(200);
    await apply(developer, { POSTGRES_DB: 'two' }).expect(200);
    expect((await operate(developer).expect((answer) => answer.status !== 403)).status).not.toBe(403);
    // The table: secrets of a protected project are not for developers, on the list or not.
    await apply(developer, { POSTGRES_DB: 'two', POSTGRES_PASSWORD: 'a-secret-of-the-project' }).expect(403);
    await grant(owner, { email: developer.email, role: 'admin' }).expect(200);
    await apply(developer, { POSTGRES_DB: 'two', POSTGRES_PASSWORD: 'a-secret-of-the-project' }).expect(200);
    await call(owner, 'delete', `/projects/${projectId}/grants/${developer.id}`).expect(204);
    await apply(developer, { POSTGRES_DB: 'three' }).expect(403);
    await protect(owner, false).expect(200);
    await apply(developer, { POSTGRES_DB: 'three' }).expect(200);
  });

  it('a grant adds to the role in the team, on one project alone', async () => {
    const other = (
      (await call(owner, 'put', `/teams/${teamId}/projects/other`, { spec: specOf('other') }).expect(201)).body as { id: string }
    ).id;
    await apply(viewer, { POSTGRES_DB: 'one' }).expect(403);
    expect((await grant(owner, { email: viewer.email, role: 'developer' }).expect(200)).body).toMatchObject({
      userId: viewer.id,
      role: 'developer',
      roleName: 'developer',
    });
    await apply(viewer, { POSTGRES_DB: 'one' }).expect(200);
    await call(viewer, 'put', `/teams/${teamId}/projects/other`, { spec: specOf('other', { POSTGRES_DB: 'one' }) }).expect(403);
    await call(viewer, 'put', `/teams/${teamId}/projects/third`, { spec: specOf('third') }).expect(403);
    await call(viewer, 'post', `/projects/${other}/deployments`, { kind: 'deploy' }).expect(403);
  });

  it('may be of a custom role', async () => {
    const rules = [
      { action: 'deploy', subject: 'Project' },
      { action: 'manage-members', subject: 'Team' },
    ];
    const role = (await call(owner, 'post', `/teams/${teamId}/roles`, { name: 'releaser', rules }).expect(201)).body as { id: string };
    expect((await grant(owner, { userId: viewer.id, roleId: role.id }).expect(200)).body).toMatchObject({
      role: 'custom',
      roleId: role.id,
      roleName: 'releaser',
    });
    expect((await operate(viewer)).status).not.toBe(403);
    await operate(viewer, 'restart').expect(403);
    await call(viewer, 'put', `/teams/${teamId}/members`, { email: stranger.email, role: 'viewer' }).expect(403);
    expect((await call(owner, 'delete', `/teams/${teamId}/roles/${role.id}`).expect(409)).body).toMatchObject({ code: 'ROLE_IN_USE' });
  });

  it('are given by those who manage members, and never beyond what they hold', async () => {
    for (const user of [developer, viewer]) await grant(user, { email: viewer.email, role: 'viewer' }).expect(403);
    await grant(stranger, { email: stranger.email, role: 'admin' }).expect(404);
    const rules = [
      { action: 'manage-members', subject: 'Team' },
      { action: ['read', 'deploy', 'operate', 'update'], subject: 'Project' },
    ];
    const role = (await call(owner, 'post', `/teams/${teamId}/roles`, { name: 'manager', rules }).expect(201)).body as { id: string };
    await call(owner, 'put', `/teams/${teamId}/members`, { email: developer.email, roleId: role.id }).expect(200);
    expect((await grant(developer, { email: viewer.email, role: 'admin' }).expect(403)).body).toMatchObject({ code: 'ROLE_TOO_HIGH' });
    expect((await grant(developer, { email: developer.email, role: 'developer' }).expect(403)).body).toMatchObject({
      code: 'ROLE_TOO_HIGH',
    });
    await grant(owner, { email: viewer.email, role: 'admin' }).expect(200);
    await call(developer, 'delete', `/projects/${projectId}/grants/${viewer.id}`).expect(403);
  });

  it('are for members: nobody else gets one, and they go with the membership', async () => {
    expect((await grant(owner, { email: stranger.email, role: 'viewer' }).expect(404)).body).toMatchObject({ code: 'NOT_A_MEMBER' });
    expect((await grant(owner, { userId: stranger.id, role: 'viewer' }).expect(404)).body).toMatchObject({ code: 'NOT_A_MEMBER' });
    await grant(owner, { email: viewer.email, role: 'admin' }).expect(200);
    await call(owner, 'delete', `/teams/${teamId}/members/${viewer.id}`).expect(204);
    await call(viewer, 'get', `/projects/${projectId}`).expect(404);
    await call(owner, 'put', `/teams/${teamId}/members`, { email: viewer.email, role: 'viewer' }).expect(200);
    await apply(viewer).expect(403);
    expect((await call(owner, 'get', `/projects/${projectId}/grants`).expect(200)).body).toEqual({ items: [], nextCursor: null });
  });

  it.each([
    [{}, 'email'],
    [{ email: 'x' }, 'email'],
    [{ email: 'owner@example.org' }, 'role'],
    [{ email: 'owner@example.org', role: 'owner' }, 'role'],
    [{ email: 'owner@example.org', role: 'viewer', teamId: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' }, 'teamId'],
    [{ email: 'owner@example.org', role: 'viewer', projectId: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' }, 'projectId'],
  ])('refuse %j', async (body, path) => {
    const answer = await grant(owner, body).expect(400);
    expect((answer.body as { errors: { path: string }[] }).errors.map((fault) => fault.path)).toContain(path);
  });

  it('protection is for owners and admins', async () => {
    for (const user of [developer, viewer]) await protect(user, true).expect(403);
    await protect(stranger, true).expect(404);
    await call(owner, 'put', `/projects/${projectId}/protection`, {}).expect(400);
  });

  it('every change is an event of the team', async () => {
    await protect(owner, true).expect(200);
    await protect(owner, true).expect(200);
    await grant(owner, { email: viewer.email, role: 'developer' }).expect(200);
    await grant(owner, { email: viewer.email, role: 'admin' }).expect(200);
    await call(owner, 'delete', `/projects/${projectId}/grants/${viewer.id}`).expect(204);
    await protect(owner, false).expect(200);
    const events = (await eventsOf(platform.application, teamId)).filter(({ action }) => /^grant|protected$/.test(action));
    expect(events.map(({ action, before, after }) => ({ action, before, after }))).toEqual([
      { action: 'project.protected', before: { protected: false }, after: { protected: true } },
      { action: 'grant.given', before: null, after: { role: 'developer' } },
      { action: 'grant.changed', before: { role: 'developer' }, after: { role: 'admin' } },
      { action: 'grant.revoked', before: { role: 'admin' }, after: null },
      { action: 'project.unprotected', before: { protected: true }, after: { protected: false } },
    ]);
    expect(new Set(events.map((event) => event.projectId))).toEqual(new Set([projectId]));
  });
});
