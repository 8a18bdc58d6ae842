import { readFileSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { asSystem } from '../../src/common/request-context.js';
import { SecretValues } from '../../src/modules/secrets/secret-values.js';
import { formerPlace } from '../../src/modules/secrets/secrets.service.js';
import { readKeyring } from '../../src/vault/keyring-file.js';
import { seal } from '../../src/vault/seal.js';
import { bearer, type TestUser } from '../support/application.js';
import { superuserUrl } from '../support/database.js';
import { guestbook, TestPlatform } from '../support/platform.js';
import { until } from '../support/until.js';

interface Key {
  id: string;
  active: boolean;
  rows: number;
}

const valueOf = (name: string): string => `the value of ${name}`;

describe('secrets at rest', () => {
  let platform: TestPlatform;
  let admin: TestUser;
  let user: TestUser;
  let superuser: pg.Client;
  let digest: string;

  beforeAll(async () => {
    platform = await TestPlatform.start();
    const { application } = platform;
    admin = await application.user('admin@example.org', { platformAdmin: true });
    user = await application.user('user@example.org');
    digest = await platform.upload(user, 'code');
    superuser = new pg.Client({ connectionString: superuserUrl(new URL(application.config.databaseUrl).pathname.slice(1)) });
    await superuser.connect();
  });

  afterAll(async () => {
    await superuser.end();
    await platform.stop();
  });

  const keyFile = () => platform.application.config.paths.control.platformKey;
  const project = (name: string) => platform.apply(user, { ...guestbook(digest), name });
  const set = (id: string, names: readonly string[], component?: string) =>
    platform.application.http
      .put(`/api/v1/projects/${id}/variables`)
      .set(bearer(user))
      .send({ variables: names.map((name) => ({ name, value: valueOf(name) })), ...(component === undefined ? {} : { component }) })
      .expect(200);
  const reveal = (id: string, component?: string) =>
    platform.application.http
      .post(`/api/v1/projects/${id}/variables/reveal`)
      .set(bearer(user))
      .send(component === undefined ? {} : { component });
  const revealed = async (id: string) =>
    ((await reveal(id).expect(200)).body as { items: { name: string; value: string }[] }).items.map(({ name, value }) => [name, value]);
  const keys = async (method: 'get' | 'post' = 'get', path = '') =>
    ((await platform.application.http[method](`/api/v1/platform/keys${path}`).set(bearer(admin))).body as { items: Key[] }).items;
  const ciphertext = async (id: string, name: string) =>
    (
      await superuser.query<{ ciphertext: Buffer }>(
        'SELECT ciphertext FROM variables WHERE project_id = $1 AND name = $2 ORDER BY version',
        [id, name],
      )
    ).rows;

  it('R44: two ciphertexts that a superuser swapped are refused, in one project, between components, versions and teams', async () => {
    const id = await project('swapped');
    await set(id, ['ONE', 'TWO']);
    const [one] = await ciphertext(id, 'ONE');
    const [two] = await ciphertext(id, 'TWO');
    const put = (name: string, value: Buffer | undefined) =>
      superuser.query('UPDATE variables SET ciphertext = $3 WHERE project_id = $1 AND name = $2', [id, name, value]);
    await put('ONE', two?.ciphertext);
    await put('TWO', one?.ciphertext);
    const refused = await reveal(id).expect(500);
    expect(refused.text).not.toContain('the value of');
    await put('ONE', one?.ciphertext);
    await put('TWO', two?.ciphertext);
    expect(await revealed(id)).toHaveLength(2);
    for (const change of [`component = 'web'`, `version = 7`, `name = 'OTHER'`]) {
      await superuser.query(`UPDATE variables SET ${change} WHERE project_id = $1 AND name = 'ONE'`, [id]);
      await reveal(id, 'web').expect(500);
      await superuser.query(
        `UPDATE variables SET component = '', version = 1, name = 'ONE' WHERE project_id = $1 AND name IN ('ONE', 'OTHER')`,
        [id],
      );
    }
    const thief = await platform.application.user('thief@example.org');
    await superuser.query('UPDATE projects SET team_id = $2 WHERE id = $1', [id, thief.teamId]);
    await platform.application.http.post(`/api/v1/projects/${id}/variables/reveal`).set(bearer(thief)).send({}).expect(500);
    const values = platform.application.app.get(SecretValues, { strict: false });
    const pinned = { secrets: {}, variables: { ONE: { origin: 'project', kind: 'secret', as: 'env', version: 1 } as const } };
    await expect(asSystem('test', () => values.of({ teamId: thief.teamId, projectId: id }, 'web', pinned))).rejects.toMatchObject({
      code: 'SECRET_UNREADABLE',
    });
  });

  it('R45: the platform key is rotated under way and after an end in the middle, and every secret stays readable', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `SECRET_${index}`);
    const id = await project('rotated');
    await set(id, names);
    const [before] = (await keys()).filter(({ active }) => active);
    expect(before?.rows).toBeGreaterThanOrEqual(300);
    // One row is held, so that the job stands in the middle.
    const holder = new pg.Client({ connectionString: superuserUrl(new URL(platform.application.config.databaseUrl).pathname.slice(1)) });
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM variables WHERE project_id = $1 AND name = $2 FOR UPDATE', [id, 'SECRET_150']);
    expect(await keys('post', '/rotate')).toMatchObject([{ active: false }, { active: true }]);
    const old = async () => (await keys()).find((key) => key.id === before?.id)?.rows ?? 0;
    await until(async () => (await old()) < 300);
    await until(
      async () =>
        (await superuser.query(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE variables%'`))
          .rowCount === 1,
    );
    expect(await old()).toBeGreaterThan(0);
    expect(await revealed(id)).toEqual([...names].sort().map((name) => [name, valueOf(name)]));
    expect((await platform.application.http.post('/api/v1/platform/keys/retire').set(bearer(admin)).expect(409)).body).toMatchObject({
      code: 'PLATFORM_KEY_IN_USE',
    });
    // The worker's connection is cut, and the process ends.
    await superuser.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE variables%'`,
    );
    platform = await platform.restart();
    expect(await old()).toBeGreaterThan(0);
    expect(await revealed(id)).toHaveLength(300);
    await set(id, ['SECRET_0', 'NEW']);
    await holder.query('ROLLBACK');
    await holder.end();
    await until(async () => (await old()) === 0);
    expect(await keys('post', '/retire')).toMatchObject([{ active: true }]);
    expect(await revealed(id)).toEqual([...names, 'NEW'].sort().map((name) => [name, valueOf(name)]));
    expect((await readKeyring(keyFile())).keys).toHaveLength(1);
    expect(statSync(keyFile()).mode & 0o777).toBe(0o600);
  });

  it('R45: what an older version of Hithe sealed is read, and sealed anew by a rotation', async () => {
    const id = await platform.apply(user, {
      ...guestbook(digest, { db: { vars: { POSTGRES_PASSWORD: 'the password before' } } }),
      name: 'former',
    });
    const { activeId, keys: ring } = await readKeyring(keyFile());
    const key = ring.find((each) => each.id === activeId)?.key ?? Buffer.alloc(0);
    const place = formerPlace({ projectId: id, component: 'db', name: 'POSTGRES_PASSWORD', version: 1 });
    const dataKey = Buffer.alloc(32, 7);
    const first = Buffer.concat([Buffer.of(1), seal(key, place, dataKey), seal(dataKey, place, Buffer.from('the password before'))]);
    await superuser.query('UPDATE secrets SET ciphertext = $2 WHERE project_id = $1', [id, first]);
    const body = async () => (await reveal(id, 'db').expect(200)).body as { items: { value: string }[] };
    expect(await body()).toMatchObject({ items: [{ value: 'the password before' }] });
    await keys('post', '/rotate');
    await until(async () => (await keys())[0]?.rows === 0);
    expect(await keys('post', '/retire')).toHaveLength(1);
    expect(await body()).toMatchObject({ items: [{ value: 'the password before' }] });
  });

  it('is rotated by platform administrators alone, each time in the audit log, and the file tells nobody', async () => {
    await platform.application.http.post('/api/v1/platform/keys/rotate').set(bearer(user)).send().expect(403);
    const events = await superuser.query<{ action: string }>(
      `SELECT action FROM audit_events WHERE subject_type = 'platform-key' ORDER BY seq`,
    );
    expect(events.rows.map(({ action }) => action)).toEqual([
      'platform-key.rotated',
      'platform-key.retired',
      'platform-key.rotated',
      'platform-key.retired',
    ]);
    const shown = JSON.stringify(await keys());
    for (const { key } of (JSON.parse(readFileSync(keyFile(), 'utf8')) as { keys: { key: string }[] }).keys)
      expect(shown).not.toContain(key);
  });
});
