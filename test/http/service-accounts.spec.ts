import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bearer, TestApplication, type TestUser } from '../support/application.js';
import { sql, type TestToken, withToken } from '../support/tokens.js';

interface Account {
  id: string;
  email: string;
  role: string | null;
}

describe('service accounts', () => {
  let application: TestApplication;
  let owner: TestUser;
  let admin: TestUser;
  let dev: TestUser;
  let eve: TestUser;
  let teamId: string;
  let base: string;

  const http = () => application.http;
  const codeOf = (answer: { body: unknown }): unknown => (answer.body as { code?: unknown }).code;
  const create = (user: TestUser, name: string, role = 'developer') => http().post(base).set(bearer(user)).send({ name, role });
  const make = async (name: string, role = 'developer'): Promise<Account> => (await create(owner, name, role).expect(201)).body as Account;
  const issue = (user: TestUser, account: Account, scopes = ['read', 'deploy']) =>
    http().post(`${base}/${account.id}/tokens`).set(bearer(user)).send({ name: 'ci', scopes });
  const tokenOf = async (account: Account): Promise<TestToken> => (await issue(owner, account).expect(201)).body as TestToken;
  const join = (user: TestUser, role: string) =>
    http().put(`/api/v1/teams/${teamId}/members`).set(bearer(owner)).send({ email: user.email, role }).expect(200);

  beforeAll(async () => {
    application = await TestApplication.start();
    owner = await application.user('owner@example.org');
    admin = await application.user('admin@example.org');
    dev = await application.user('dev@example.org');
    eve = await application.user('eve@example.org');
    teamId = ((await http().post('/api/v1/teams').set(bearer(owner)).send({ name: 'Web shop' }).expect(201)).body as { id: string }).id;
    base = `/api/v1/teams/${teamId}/service-accounts`;
    await join(admin, 'admin');
    await join(dev, 'developer');
  });

  afterAll(async () => {
    await application.stop();
  });

  it('are users of one team, with a name instead of an address, and a role', async () => {
    const made = await make('deployer');
    expect(made).toMatchObject({ name: 'deployer', email: 'deployer@web-shop.service', teamId, role: 'developer' });
    expect((await http().get(base).set(bearer(dev)).expect(200)).body).toMatchObject({ items: [{ id: made.id, role: 'developer' }] });
    const members = (await http().get(`/api/v1/teams/${teamId}/members`).set(bearer(dev)).expect(200)).body as {
      items: { userId: string; kind: string }[];
    };
    expect(members.items.map(({ kind }) => kind).sort()).toEqual(['person', 'person', 'person', 'service']);
    expect(codeOf(await create(owner, 'deployer').expect(409))).toBe('EMAIL_TAKEN');
    for (const body of [
      { name: 'Bad Name', role: 'viewer' },
      { name: 'x', role: 'owner' },
      { name: 'x' },
      { name: 'x', role: 'viewer', teamId },
    ])
      await http().post(base).set(bearer(owner)).send(body).expect(400);
  });

  it('are made and managed by owners and admins, below their own role', async () => {
    const strong = await make('strong', 'admin');
    await create(dev, 'mine').expect(403);
    await create(eve, 'mine').expect(404);
    expect(codeOf(await create(admin, 'equal', 'admin').expect(403))).toBe('ROLE_TOO_HIGH');
    const weak = (await create(admin, 'weak', 'developer').expect(201)).body as Account;
    await issue(admin, weak).expect(201);
    // A token of a stronger account would be a way up.
    expect(codeOf(await issue(admin, strong).expect(403))).toBe('ROLE_TOO_HIGH');
    expect(codeOf(await http().patch(`${base}/${weak.id}`).set(bearer(admin)).send({ role: 'admin' }).expect(403))).toBe('ROLE_TOO_HIGH');
    expect(codeOf(await http().delete(`${base}/${strong.id}`).set(bearer(admin)).expect(403))).toBe('ROLE_TOO_HIGH');
    await http().get(`${base}/${weak.id}/tokens`).set(bearer(dev)).expect(403);
    await http().get(`${base}/${dev.id}/tokens`).set(bearer(owner)).expect(404);
  });

  it('act with their tokens in their team, and with their role of the moment', async () => {
    const account = await make('actor');
    const token = await tokenOf(account);
    expect(token.token).toMatch(/^hithe_sat_[0-9A-Za-z]{42}$/);
    expect(token).toMatchObject({ userId: account.id, teamId, createdBy: owner.id });
    const me = await http().get('/api/v1/me').set(withToken(token)).expect(200);
    expect(me.body).toMatchObject({
      id: account.id,
      email: account.email,
      teams: [{ id: teamId, role: 'developer' }],
      token: { name: 'ci' },
    });
    const upload = () =>
      http()
        .post(`/api/v1/teams/${teamId}/sources`)
        .set(withToken(token))
        .set('Content-Type', 'application/gzip')
        .send(Buffer.of(0x1f, 0x8b, 0));
    await upload().expect(201);
    await http().patch(`${base}/${account.id}`).set(bearer(owner)).send({ role: 'viewer' }).expect(200);
    expect(codeOf(await upload().expect(403))).toBe('ACTION_FORBIDDEN');
    await http().delete(`/api/v1/teams/${teamId}/members/${account.id}`).set(bearer(owner)).expect(204);
    await http().get(`/api/v1/teams/${teamId}`).set(withToken(token)).expect(404);
    expect((await http().get(base).set(bearer(owner)).expect(200)).body).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ id: account.id, role: null })]) as unknown,
    });
  });

  it('cannot log in, are nobody’s address, and are not listed among people', async () => {
    const account = await make('quiet');
    await http().post('/api/v1/auth/login').send({ email: account.email, password: 'a rather long passphrase' }).expect(401);
    await http().put(`/api/v1/teams/${eve.teamId}/members`).set(bearer(eve)).send({ email: account.email, role: 'viewer' }).expect(404);
    const root = await application.user('root@example.org', { platformAdmin: true });
    const users = await http().get('/api/v1/users?limit=200').set(bearer(root)).expect(200);
    expect(users.text).not.toContain('.service');
    const answer = await http().post('/api/v1/users').set(bearer(root)).send({ email: 'fake@web-shop.service' }).expect(400);
    expect(codeOf(answer)).toBe('EMAIL_RESERVED');
  });

  it('end with their tokens: revoked, deleted, or with their team', async () => {
    const account = await make('brief');
    const [first, second] = [await tokenOf(account), await tokenOf(account)];
    const me = (token: TestToken) => http().get('/api/v1/me').set(withToken(token));
    await http().delete(`${base}/${account.id}/tokens/${first.id}`).set(bearer(owner)).expect(204);
    expect(codeOf(await me(first).expect(401))).toBe('TOKEN_REVOKED');
    await me(second).expect(200);
    await http().delete(`${base}/${account.id}`).set(bearer(owner)).expect(204);
    expect(codeOf(await me(second).expect(401))).toBe('TOKEN_UNKNOWN');
    await http().delete(`${base}/${account.id}`).set(bearer(owner)).expect(404);
  });

  it('R25, R33: their rows hold no password, and a service account is never an owner', async () => {
    const account = await make('plain');
    const write = (text: string) => sql(application, text, [account.id]);
    await expect(write(`UPDATE users SET password_hash = 'x' WHERE id = $1`)).rejects.toThrow('ck_users_password_hash');
    await expect(write(`UPDATE users SET platform_admin = true WHERE id = $1`)).rejects.toThrow('ck_users_platform_admin');
    await http().patch(`${base}/${account.id}`).set(bearer(owner)).send({ role: 'owner' }).expect(400);
  });

  it('are named in the audit log as what they are', async () => {
    const account = await make('audited');
    const token = await tokenOf(account);
    await http()
      .post(`/api/v1/teams/${teamId}/sources`)
      .set(withToken(token))
      .set('Content-Type', 'application/gzip')
      .send(Buffer.of(0x1f, 0x8b, 1))
      .expect(201);
    const events = await sql<{ action: string; actor_kind: string; token_id: string | null }[]>(
      application,
      `SELECT action, actor_kind, token_id FROM audit_events WHERE actor_id = $1 OR subject_id = $1::text ORDER BY seq`,
      [account.id],
    );
    expect(events.map(({ action }) => action)).toEqual(expect.arrayContaining(['service-account.created', 'member.added']));
    expect(events).toContainEqual({ action: 'source.uploaded', actor_kind: 'service', token_id: token.id });
  });
});
