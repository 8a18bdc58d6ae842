import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { asSystem } from '../../src/common/request-context.js';
import { bearer, type TestUser } from '../support/application.js';
import { guestbook, TestPlatform } from '../support/platform.js';
import type { ScriptedAgent } from '../support/scripted-agent.js';
import { VaultServer } from '../support/vault-server.js';

const SECRET = 'marked-secret-of-the-vault';

describe('secrets that a vault keeps', () => {
  let directory: string;
  let vault: VaultServer;
  let platform: TestPlatform;
  let agent: ScriptedAgent;
  let user: TestUser;
  let digest: string;
  let slug: string;
  let id: string;
  let count = 0;

  const path = (name: string) => `hithe/${slug}/${name}`;
  const reference = (name: string, rest = '#key') => `vault:kv/${path(name)}${rest}`;
  const set = (name: string, value: string, component?: string) =>
    platform.application.http
      .put(`/api/v1/projects/${id}/variables`)
      .set(bearer(user))
      .send({ variables: [{ name, value, kind: 'reference' }], ...(component === undefined ? {} : { component }) });
  const deploy = () => platform.application.http.post(`/api/v1/projects/${id}/deployments`).set(bearer(user)).send({ kind: 'deploy' });
  const running = (component: string) =>
    agent.desired.find((each) => each.projectId === id && each.component === component && each.desired === 'running');

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'hithe-vault-'));
    await writeFile(join(directory, 'secret-id'), `${VaultServer.secretId}\n`, { mode: 0o600 });
    vault = new VaultServer();
    await vault.start();
    platform = await TestPlatform.start({
      vaultAddress: vault.url,
      vaultRoleId: VaultServer.roleId,
      vaultSecretIdFile: join(directory, 'secret-id'),
    });
    user = await platform.application.user('user@example.org');
    const teams = (await platform.application.http.get('/api/v1/teams').set(bearer(user)).expect(200)).body as {
      items: { id: string; slug: string }[];
    };
    slug = teams.items.find((team) => team.id === user.teamId)?.slug ?? '';
    digest = await platform.upload(user, 'code');
    agent = await platform.agent();
  });

  beforeEach(async () => {
    count += 1;
    vault.put(path(`web-${count}`), { key: `${SECRET}-1` });
    vault.put(path(`db-${count}`), { password: `${SECRET}-db` });
    const db = { vars: { POSTGRES_PASSWORD: { from: reference(`db-${count}`, '#password') } } };
    const web = { env: { FROM_FILE: { from: reference(`web-${count}`) }, DATABASE_URL: '${db.POSTGRES_URL}' } };
    id = await platform.apply(user, { ...guestbook(digest, { db, web }), name: `shop-${count}` });
  });

  afterAll(async () => {
    await agent.end();
    await platform.stop();
    await vault.stop();
    await rm(directory, { recursive: true });
  });

  it('are read at a deploy, pinned by it, and read anew by the next', async () => {
    await set('SHARED', reference(`web-${count}`)).expect(200);
    expect(await platform.run(user, id, 'deploy')).toMatchObject({ state: 'succeeded', release: 1 });
    expect(running('web')).toMatchObject({ secretEnv: { FROM_FILE: `${SECRET}-1`, SHARED: `${SECRET}-1` } });
    expect(running('db')).toMatchObject({
      vars: { POSTGRES_PASSWORD: `${SECRET}-db` },
      secretVars: expect.arrayContaining(['POSTGRES_PASSWORD']),
    });
    expect(await platform.run(user, id, 'deploy')).toMatchObject({ release: 1 });
    vault.put(path(`web-${count}`), { key: `${SECRET}-2` });
    await platform.run(user, id, 'restart', ['web']);
    expect(running('web')).toMatchObject({ secretEnv: { SHARED: `${SECRET}-1` } });
    expect(await platform.run(user, id, 'deploy')).toMatchObject({ state: 'succeeded', release: 2 });
    expect(running('web')).toMatchObject({ secretEnv: { FROM_FILE: `${SECRET}-2`, SHARED: `${SECRET}-2` } });
    expect(vault.logins).toBe(1);
  });

  it('are nowhere in the database in clear', async () => {
    await platform.run(user, id, 'deploy');
    const rows = await asSystem('test', () =>
      platform.application.app
        .get(DataSource)
        .query<unknown[]>(
          'SELECT s.*, p.spec, r.components FROM secrets s JOIN projects p ON p.id = s.project_id JOIN releases r ON r.project_id = p.id',
        ),
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toContain(SECRET);
  });

  it('can be fixed to a version, and named only below the directory of the team', async () => {
    vault.put(path(`web-${count}`), { key: `${SECRET}-2` });
    await set('FIXED', reference(`web-${count}`, '#key@1')).expect(200);
    await platform.run(user, id, 'deploy');
    expect(running('web')).toMatchObject({ secretEnv: { FIXED: `${SECRET}-1`, FROM_FILE: `${SECRET}-2` } });
    for (const address of [
      `vault:kv/hithe/other/web#key`,
      `vault:kv/hithe/${slug}/../other/web#key`,
      `vault:kv/hithe/${slug}#key`,
      `vault:secret/x#key`,
      'vault:#key',
    ]) {
      const refused = (await set('STOLEN', address).expect(400)).body as { errors: { code: string; fix: string }[] };
      expect(refused.errors[0]?.code).toMatch(/^SECRET_REFERENCE_(?:OUTSIDE|INVALID)$/);
    }
    const spec = { ...guestbook(digest, { web: { env: { STOLEN: { from: 'vault:kv/hithe/other/web#key' } } } }), name: `shop-${count}` };
    const answer = await platform.application.http
      .put(`/api/v1/teams/${user.teamId}/projects/shop-${count}`)
      .set(bearer(user))
      .send({ spec })
      .expect(400);
    expect(answer.body).toMatchObject({ errors: [{ path: 'components.web.env.STOLEN.from', code: 'SECRET_REFERENCE_OUTSIDE' }] });
  });

  it('stop a deploy with a clear reason while they cannot be read, and nothing that runs is touched', async () => {
    await platform.run(user, id, 'deploy');
    const before = running('web');
    const refusals: [string, number, string, () => Promise<void> | void, () => Promise<void> | void][] = [
      ['sealed', 503, 'SECRET_PROVIDER_UNAVAILABLE', () => void (vault.sealed = true), () => void (vault.sealed = false)],
      ['away', 503, 'SECRET_PROVIDER_UNAVAILABLE', () => vault.stop(), () => vault.start()],
      ['refusing', 503, 'SECRET_PROVIDER_REFUSED', () => void (vault.forbidden = 'hithe/'), () => void (vault.forbidden = undefined)],
      [
        'without it',
        400,
        'SECRET_REFERENCE_UNKNOWN',
        () => vault.put(path(`web-${count}`), { other: 'x' }),
        () => vault.put(path(`web-${count}`), { key: SECRET }),
      ],
      [
        'deleted',
        400,
        'SECRET_REFERENCE_UNKNOWN',
        () => vault.put(path(`web-${count}`), null),
        () => vault.put(path(`web-${count}`), { key: SECRET }),
      ],
    ];
    for (const [, status, code, begin, end] of refusals) {
      await begin();
      const answer = await deploy().expect(status);
      expect(answer.body).toMatchObject({ code, detail: expect.stringMatching(/^(?:web\.FROM_FILE|db\.POSTGRES_PASSWORD): /) });
      expect(answer.text).not.toContain(SECRET);
      await end();
    }
    expect(running('web')).toEqual(before);
    expect(await platform.status(user, id)).toMatchObject({ state: 'running', release: 1 });
    vault.revokeTokens();
    expect(await platform.run(user, id, 'deploy')).toMatchObject({ state: 'succeeded' });
  });

  it('can be a variable of the same project under another name', async () => {
    await platform.application.http
      .put(`/api/v1/projects/${id}/variables`)
      .set(bearer(user))
      .send({ variables: [{ name: 'DB_PASSWORD', value: `${SECRET}-shared` }] })
      .expect(200);
    await set('POSTGRES_PASSWORD', 'hithe:project#DB_PASSWORD', 'db').expect(200);
    await platform.run(user, id, 'deploy');
    expect(running('db')).toMatchObject({ vars: { POSTGRES_PASSWORD: `${SECRET}-shared` } });
    expect(running('web')).toMatchObject({ secretEnv: { DB_PASSWORD: `${SECRET}-shared` } });
    await platform.application.http.delete(`/api/v1/projects/${id}/variables/DB_PASSWORD`).set(bearer(user)).expect(204);
    expect((await deploy().expect(400)).body).toMatchObject({ code: 'SECRET_REFERENCE_UNKNOWN' });
  });
});
