import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApplication, type TestUser, bearer } from '../support/application.js';
import { eventsOf } from '../support/audit-events.js';

interface Role {
  id: string;
  name: string;
  rules: object[];
}

const SPEC = { name: 'shop', components: { db: { port: 'postgres', version: '17' } } };
const READ = { action: ['read'], subject: 'Project' };

describe('custom roles', () => {
  let application: TestApplication;
  let owner: TestUser;
  let admin: TestUser;
  let worker: TestUser;
  let stranger: TestUser;
  let platform: TestUser;
  let teamId: string;
  let projectId: string;

  const call = (user: TestUser, method: 'get' | 'post' | 'put' | 'patch' | 'delete', path: string, body?: object) => {
    const request = application.http[method](`/api/v1${path}`).set(bearer(user));
    return body === undefined ? request : request.send(body);
  };
  const make = async (user: TestUser, name: string, rules: object[]): Promise<Role> =>
    (await call(user, 'post', `/teams/${teamId}/roles`, { name, rules }).expect(201)).body as Role;
  const give = (user: TestUser, email: string, role: { role?: string; roleId?: string }) =>
    call(user, 'put', `/teams/${teamId}/members`, { email, ...role });

  beforeAll(async () => {
    application = await TestApplication.start();
    owner = await application.user('owner@example.org');
    admin = await application.user('admin@example.org');
    worker = await application.user('worker@example.org');
    stranger = await application.user('stranger@example.org');
    platform = await application.user('platform@example.org', { platformAdmin: true });
    teamId = ((await call(owner, 'post', '/teams', { name: 'Harbour crew' }).expect(201)).body as { id: string }).id;
    await give(owner, admin.email, { role: 'admin' }).expect(200);
    projectId = ((await call(owner, 'put', `/teams/${teamId}/projects/shop`, { spec: SPEC }).expect(201)).body as { id: string }).id;
  });

  afterAll(async () => {
    await application.stop();
  });

  it('are made, listed, shown, changed and deleted, and every change is audited', async () => {
    const role = await make(owner, 'reader', [READ]);
    expect(role).toMatchObject({ name: 'reader', rules: [READ] });
    expect((await call(worker, 'get', `/teams/${teamId}/roles/${role.id}`).expect(404)).body).toMatchObject({ code: 'TEAM_NOT_FOUND' });
    const listed = (await call(admin, 'get', `/teams/${teamId}/roles`).expect(200)).body as { items: Role[] };
    expect(listed.items.map((each) => each.name)).toContain('reader');
    const changed = await call(owner, 'patch', `/teams/${teamId}/roles/${role.id}`, {
      name: 'watcher',
      rules: [READ, { action: 'read-logs', subject: 'Project' }],
    });
    expect(changed.body).toMatchObject({ name: 'watcher', rules: [READ, { action: ['read-logs'], subject: 'Project' }] });
    await call(owner, 'delete', `/teams/${teamId}/roles/${role.id}`).expect(204);
    await call(owner, 'get', `/teams/${teamId}/roles/${role.id}`).expect(404);
    const events = (await eventsOf(application, teamId)).filter((event) => event.subjectId === role.id);
    expect(events).toMatchObject([
      { action: 'role.created', actor: owner.email, after: { name: 'reader', rules: [READ] } },
      { action: 'role.changed', before: { name: 'reader' }, after: { name: 'watcher' } },
      { action: 'role.deleted', before: { name: 'watcher' } },
    ]);
  });

  it('have names of their own', async () => {
    await make(owner, 'unique', [READ]);
    expect((await call(owner, 'post', `/teams/${teamId}/roles`, { name: 'unique', rules: [READ] }).expect(409)).body).toMatchObject({
      code: 'ROLE_NAME_TAKEN',
    });
    for (const name of ['owner', 'custom', 'Upper', '../x', 'a--b'])
      await call(owner, 'post', `/teams/${teamId}/roles`, { name, rules: [READ] }).expect(400);
  });

  it.each([
    ['an unknown action', [{ action: 'fly', subject: 'Project' }]],
    ['the platform', [{ action: 'read', subject: 'Node' }]],
    ['all', [{ action: 'manage', subject: 'all' }]],
    ['the owner’s own', [{ action: 'transfer', subject: 'Team' }]],
    ['a team of one’s choice', [{ action: 'read', subject: 'Project', conditions: { teamId: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' } }]],
    [
      'a project that is not the team’s',
      [{ action: 'read', subject: 'Project', conditions: { id: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' } }],
    ],
    ['none', []],
    ['text', 'read'],
  ])('refuse %s, and say where', async (_what, rules) => {
    const answer = await call(owner, 'post', `/teams/${teamId}/roles`, { name: 'wrong', rules }).expect(400);
    expect((answer.body as { errors: { path: string }[] }).errors[0]?.path).toMatch(/^rules/);
  });

  it('R30: take no team and no other property from the body', async () => {
    for (const extra of [{ teamId: stranger.teamId }, { role: 'owner' }, { id: 'x' }]) {
      const answer = await call(owner, 'post', `/teams/${teamId}/roles`, { name: 'tricky', rules: [READ], ...extra }).expect(400);
      expect((answer.body as { errors: { code: string }[] }).errors[0]?.code).toBe('UNKNOWN_FIELD');
    }
    for (const body of [
      [{ email: worker.email, role: 'owner' }],
      { email: [worker.email], role: 'viewer' },
      { email: worker.email, role: ['owner'] },
      { email: worker.email, role: { $ne: '' } },
      { email: worker.email, role: 'viewer', constructor: { role: 'owner' } },
    ])
      expect({ body, status: (await call(owner, 'put', `/teams/${teamId}/members`, body)).status }).toEqual({ body, status: 400 });
    const hidden = `{"email": "${worker.email}", "role": "viewer", "__proto__": {"role": "owner"}}`;
    await call(owner, 'put', `/teams/${teamId}/members`).set('Content-Type', 'application/json').send(hidden).expect(400);
    for (const extra of [{ teamId: stranger.teamId }, { userId: owner.id }, { platformAdmin: true }, { role: 'viewer', roleId: owner.id }])
      await call(owner, 'put', `/teams/${teamId}/members`, { email: worker.email, role: 'viewer', ...extra }).expect(400);
  });

  it('hold in their team what they say, and nothing else', async () => {
    const role = await make(owner, 'deployer', [{ action: ['read', 'deploy', 'operate', 'update'], subject: 'Project' }]);
    expect((await give(owner, worker.email, { roleId: role.id }).expect(200)).body).toMatchObject({
      role: 'custom',
      roleId: role.id,
      roleName: 'deployer',
    });
    await call(worker, 'get', `/projects/${projectId}`).expect(200);
    await call(worker, 'get', `/teams/${teamId}`).expect(200);
    await call(worker, 'put', `/teams/${teamId}/projects/shop`, { spec: SPEC }).expect(200);
    await call(worker, 'get', `/projects/${projectId}/logs`).expect(403);
    await call(worker, 'delete', `/projects/${projectId}?confirm=shop`).expect(403);
    await call(worker, 'put', `/teams/${teamId}/members`, { email: stranger.email, role: 'viewer' }).expect(403);
    await call(worker, 'get', `/teams/${stranger.teamId}`).expect(404);
    const listed = (await call(worker, 'get', '/projects').expect(200)).body as { items: { id: string }[] };
    expect(listed.items.map((each) => each.id)).toEqual([projectId]);
  });

  it('change for those who have them at once, and cannot go while somebody has them', async () => {
    const role = await make(owner, 'fading', [READ]);
    await give(owner, worker.email, { roleId: role.id }).expect(200);
    await call(worker, 'get', `/projects/${projectId}`).expect(200);
    expect((await call(owner, 'delete', `/teams/${teamId}/roles/${role.id}`).expect(409)).body).toMatchObject({
      code: 'ROLE_IN_USE',
      detail: expect.stringContaining(worker.email) as unknown,
    });
    const other = (
      (await call(owner, 'put', `/teams/${teamId}/projects/other`, { spec: { ...SPEC, name: 'other' } }).expect(201)).body as { id: string }
    ).id;
    await call(owner, 'patch', `/teams/${teamId}/roles/${role.id}`, {
      rules: [{ ...READ }, { ...READ, conditions: { id: projectId }, inverted: true }],
    }).expect(200);
    await call(worker, 'get', `/projects/${projectId}`).expect(404);
    await call(worker, 'get', `/projects/${other}`).expect(200);
    const listed = (await call(worker, 'get', '/projects').expect(200)).body as { items: { id: string }[] };
    expect(listed.items.map((each) => each.id)).toEqual([other]);
    await give(owner, worker.email, { role: 'viewer' }).expect(200);
    await call(owner, 'delete', `/teams/${teamId}/roles/${role.id}`).expect(204);
  });

  it('of another team look like none', async () => {
    const theirs = (
      (await call(stranger, 'post', `/teams/${stranger.teamId}/roles`, { name: 'theirs', rules: [READ] }).expect(201)).body as Role
    ).id;
    for (const [method, body] of [['get'], ['patch', { name: 'x' }], ['delete']] as const)
      expect((await call(owner, method, `/teams/${teamId}/roles/${theirs}`, body).expect(404)).body).toMatchObject({
        code: 'ROLE_NOT_FOUND',
      });
    expect((await give(owner, worker.email, { roleId: theirs }).expect(404)).body).toMatchObject({ code: 'ROLE_NOT_FOUND' });
    for (const [method, path, body] of [
      ['get', '/roles'],
      ['post', '/roles', { name: 'x', rules: [READ] }],
      ['delete', '/roles/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55'],
    ] as const)
      await call(stranger, method, `/teams/${teamId}${path}`, body).expect(404);
  });

  it('are for owners and admins to make; not for platform administrators', async () => {
    await give(owner, worker.email, { role: 'developer' }).expect(200);
    for (const user of [worker, platform]) await call(user, 'post', `/teams/${teamId}/roles`, { name: 'x', rules: [READ] }).expect(403);
    await make(admin, 'by-admin', [READ]);
  });

  describe('nobody gives more than they hold', () => {
    it('and the refusal names the rule', async () => {
      const manager = await make(owner, 'manager', [
        { action: ['manage-members', 'manage-roles'], subject: 'Team' },
        { action: ['read', 'read-logs'], subject: 'Project' },
      ]);
      await give(owner, worker.email, { roleId: manager.id }).expect(200);
      await make(worker, 'by-manager', [{ action: 'read-logs', subject: 'Project' }]);
      const answer = await call(worker, 'post', `/teams/${teamId}/roles`, {
        name: 'too-much',
        rules: [
          { action: 'read', subject: 'Project' },
          { action: ['read', 'deploy'], subject: 'Project', conditions: { protected: false } },
          { action: 'export', subject: 'AuditEvent' },
        ],
      }).expect(403);
      expect(answer.body).toMatchObject({ code: 'RULE_BEYOND_YOURS', errors: [{ path: 'rules[1]' }, { path: 'rules[2]' }] });
    });

    it('not through members either', async () => {
      const [manager] = ((await call(owner, 'get', `/teams/${teamId}/roles?limit=200`)).body as { items: Role[] }).items.filter(
        (role) => role.name === 'manager',
      );
      await give(worker, stranger.email, { role: 'viewer' }).expect(200);
      for (const role of ['developer', 'admin', 'owner', 'auditor'])
        expect((await give(worker, stranger.email, { role }).expect(403)).body).toMatchObject({ code: 'ROLE_TOO_HIGH' });
      expect((await give(worker, stranger.email, { roleId: manager?.id ?? '' }).expect(403)).body).toMatchObject({ code: 'ROLE_TOO_HIGH' });
      await give(worker, admin.email, { role: 'viewer' }).expect(403);
      await give(worker, worker.email, { role: 'admin' }).expect(403);
      await call(owner, 'delete', `/teams/${teamId}/members/${stranger.id}`).expect(204);
    });

    it('nor by changing a role that holds more', async () => {
      const strong = await make(owner, 'strong', [{ action: 'reveal-secrets', subject: 'Project' }]);
      expect((await call(worker, 'patch', `/teams/${teamId}/roles/${strong.id}`, { rules: [READ] }).expect(403)).body).toMatchObject({
        code: 'RULE_BEYOND_YOURS',
      });
      await call(worker, 'delete', `/teams/${teamId}/roles/${strong.id}`).expect(403);
    });

    it('nor by raising a role that somebody has: nobody is made an equal so', async () => {
      const full = ['read', 'create', 'update', 'delete', 'deploy', 'operate', 'restore', 'exec', 'read-logs', 'write-secrets'];
      const rules = [
        { action: [...full, 'reveal-secrets', 'protect'], subject: 'Project' },
        { action: ['read', 'update', 'manage-members', 'manage-roles', 'manage-tokens'], subject: 'Team' },
        { action: ['read', 'export'], subject: 'AuditEvent' },
      ];
      const role = await make(admin, 'growing', [READ]);
      const path = `/teams/${teamId}/roles/${role.id}`;
      const account = await call(admin, 'post', `/teams/${teamId}/service-accounts`, { name: 'twin', roleId: role.id }).expect(201);
      expect((await call(admin, 'patch', path, { rules }).expect(403)).body).toMatchObject({ code: 'ROLE_TOO_HIGH' });
      await call(admin, 'patch', path, { rules: [{ action: full, subject: 'Project' }] }).expect(200);
      await call(owner, 'patch', path, { rules }).expect(200);
      const { id } = account.body as { id: string };
      await call(owner, 'delete', `/teams/${teamId}/service-accounts/${id}`).expect(204);
    });

    it('admins neither raise themselves nor make equals', async () => {
      await give(admin, admin.email, { role: 'owner' }).expect(403);
      await give(admin, worker.email, { role: 'admin' }).expect(403);
      const equal = await make(owner, 'equal', [
        { action: ['read', 'update', 'manage-members', 'manage-roles', 'manage-tokens'], subject: 'Team' },
        {
          action: [
            'read',
            'create',
            'update',
            'delete',
            'protect',
            'deploy',
            'operate',
            'restore',
            'exec',
            'read-logs',
            'write-secrets',
            'reveal-secrets',
          ],
          subject: 'Project',
        },
        { action: ['read', 'export'], subject: 'AuditEvent' },
      ]);
      expect((await give(admin, worker.email, { roleId: equal.id }).expect(403)).body).toMatchObject({ code: 'ROLE_TOO_HIGH' });
      await give(owner, worker.email, { roleId: equal.id }).expect(200);
      await give(admin, worker.email, { role: 'viewer' }).expect(403);
      await give(owner, worker.email, { role: 'viewer' }).expect(200);
    });
  });

  describe('GET /roles', () => {
    it('is the role table', async () => {
      const table = (await call(worker, 'get', '/roles').expect(200)).body as { rows: { id: string; cells: Record<string, string> }[] };
      expect(table.rows).toHaveLength(11);
      expect(table.rows.find((row) => row.id === 'audit')?.cells).toMatchObject({
        owner: 'team',
        developer: 'own',
        auditor: 'read, export',
        viewer: '',
      });
    });
  });
});
