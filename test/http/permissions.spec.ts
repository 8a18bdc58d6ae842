import { type RawRuleOf, createMongoAbility, subject as marked } from '@casl/ability';
import { type PackRule, unpackRules } from '@casl/ability/extra';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ACTIONS, type AppAbility, type SubjectName } from '../../src/auth/ability.js';
import { Principals } from '../../src/auth/principals.js';
import { TestApplication, type TestUser, bearer } from '../support/application.js';

interface Permissions {
  version: string;
  rules: PackRule<RawRuleOf<AppAbility>>[];
}

const SPEC = { name: 'shop', components: { db: { port: 'postgres', version: '17' } } };

describe('GET /me/permissions', () => {
  let application: TestApplication;
  let owner: TestUser;
  let worker: TestUser;
  let teamId: string;
  let projectId: string;

  const call = (user: TestUser, method: 'get' | 'post' | 'put', path: string, body?: object) => {
    const request = application.http[method](`/api/v1${path}`).set(bearer(user));
    return body === undefined ? request : request.send(body);
  };
  const permissions = async (user: TestUser): Promise<Permissions> =>
    (await call(user, 'get', '/me/permissions').expect(200)).body as Permissions;
  const abilityOf = ({ rules }: Permissions) => createMongoAbility<AppAbility>(unpackRules<RawRuleOf<AppAbility>>(rules));

  beforeAll(async () => {
    application = await TestApplication.start();
    owner = await application.user('owner@example.org');
    worker = await application.user('worker@example.org');
    teamId = ((await call(owner, 'post', '/teams', { name: 'Crew' }).expect(201)).body as { id: string }).id;
    projectId = ((await call(owner, 'put', `/teams/${teamId}/projects/shop`, { spec: SPEC }).expect(201)).body as { id: string }).id;
  });

  afterAll(async () => {
    await application.stop();
  });

  it('lets a client answer as the server does, for every action on every kind of thing', async () => {
    const rules = [
      { action: ['read', 'deploy', 'exec'], subject: 'Project' },
      { action: 'exec', subject: 'Project', conditions: { id: { $in: [projectId] } }, inverted: true },
      { action: 'export', subject: 'AuditEvent' },
    ];
    const role = (await call(owner, 'post', `/teams/${teamId}/roles`, { name: 'special', rules }).expect(201)).body as { id: string };
    await call(owner, 'put', `/teams/${teamId}/members`, { email: worker.email, roleId: role.id }).expect(200);
    await call(owner, 'put', `/projects/${projectId}/grants`, { email: worker.email, role: 'developer' }).expect(200);
    const platform = await application.user('platform@example.org', { platformAdmin: true });
    await call(platform, 'post', '/me/reauthenticate', { password: platform.password }).expect(204);
    await call(platform, 'post', `/teams/${teamId}/break-glass`, { reason: 'For the sake of this test.', minutes: 5 }).expect(201);
    let allowed = 0;
    for (const user of [owner, worker, platform]) {
      const client = abilityOf(await permissions(user));
      const server = (await application.app.get(Principals, { strict: false }).ofUser(user.id))?.ability;
      for (const row of rows(user)) {
        for (const action of ACTIONS) {
          const answers = [client, server].map((ability) => ability?.can(action, marked(row.kind, { ...row.attributes })));
          expect({ user: user.email, action, row, client: answers[0] }).toEqual({ user: user.email, action, row, client: answers[1] });
          if (answers[0] === true) allowed += 1;
        }
      }
    }
    expect(allowed).toBeGreaterThan(100);
  });

  it('agrees with what the routes do', async () => {
    const client = abilityOf(await permissions(worker));
    const shop = marked('Project', { id: projectId, teamId, protected: false });
    expect(client.can('read', shop)).toBe(true);
    await call(worker, 'get', `/projects/${projectId}`).expect(200);
    expect(client.can('protect', shop)).toBe(false);
    await call(worker, 'put', `/projects/${projectId}/protection`, { protected: true }).expect(403);
  });

  it('says when it has not changed', async () => {
    const first = await call(worker, 'get', '/me/permissions').expect(200);
    const etag = first.headers['etag'] ?? '';
    expect(etag).toBe(`"${(first.body as Permissions).version}"`);
    await call(worker, 'get', '/me/permissions').set('If-None-Match', etag).expect(304);
    await call(owner, 'put', `/teams/${teamId}/members`, { email: worker.email, role: 'viewer' }).expect(200);
    const next = await call(worker, 'get', '/me/permissions').set('If-None-Match', etag).expect(200);
    expect(next.headers['etag']).not.toBe(etag);
  });

  it('holds nothing of other teams', async () => {
    const stranger = await application.user('stranger@example.org');
    expect(JSON.stringify(await permissions(stranger))).not.toContain(teamId);
  });

  function rows(user: TestUser): { kind: SubjectName; attributes: object }[] {
    return [
      { kind: 'Platform', attributes: {} },
      { kind: 'Node', attributes: { id: 'n1' } },
      { kind: 'Port', attributes: { name: 'postgres' } },
      { kind: 'User', attributes: { id: user.id } },
      { kind: 'User', attributes: { id: 'somebody else' } },
      { kind: 'AuditEvent', attributes: { teamId: '', actorId: '', scope: 'platform' } },
      ...[teamId, owner.teamId, worker.teamId].flatMap((team) => [
        { kind: 'Team' as const, attributes: { id: team } },
        ...[user.id, 'somebody else'].map((actorId) => ({
          kind: 'AuditEvent' as const,
          attributes: { teamId: team, actorId, scope: 'team' },
        })),
        ...[projectId, 'another'].flatMap((id) =>
          [true, false].map((on) => ({ kind: 'Project' as const, attributes: { id, teamId: team, protected: on } })),
        ),
      ]),
    ];
  }
});
