import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { SigningKeys, keysChanged } from '../../src/auth/keys/signing-keys.js';
import { asSystem } from '../../src/common/request-context.js';
import { pathsBelow } from '../../src/config/home.js';
import { Notifications } from '../../src/database/notifications.js';
import { TestApplication, type TestUser, bearer } from '../support/application.js';
import { auditOf } from '../support/audit.js';
import { until } from '../support/until.js';

interface Jwks {
  keys: { kid: string; kty: string; crv: string; alg: string; use: string; x: string; y: string; d?: string }[];
}

describe('signing keys', () => {
  let application: TestApplication;
  let admin: TestUser;
  const legacy = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const paths = pathsBelow(mkdtempSync(join(tmpdir(), 'hithe-keys-')));

  beforeAll(async () => {
    mkdirSync(dirname(paths.control.jwtKey), { recursive: true });
    writeFileSync(paths.control.jwtKey, legacy.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    application = await TestApplication.start({ paths });
    admin = await application.user('platform@example.org', { platformAdmin: true });
  });

  afterAll(async () => {
    await application.stop();
  });

  const jwks = async () => (await application.http.get('/api/v1/auth/jwks.json').expect(200)).body as Jwks;
  const kidOf = (token: string) => (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid;
  const me = (token: string) => application.http.get('/api/v1/me').set(bearer({ accessToken: token }));
  const login = async (user: TestUser) =>
    ((await application.http.post('/api/v1/auth/login').send({ email: user.email, password: user.password }).expect(200)).body as TestUser)
      .accessToken;
  const rotate = (user: TestUser, body: object = {}) => application.http.post('/api/v1/auth/signing-keys').set(bearer(user)).send(body);
  const verifies = (key: Jwks['keys'][number], token: string) => {
    const [header, claims, signature = ''] = token.split('.');
    return verify(
      'sha256',
      Buffer.from(`${header ?? ''}.${claims ?? ''}`),
      { key: createPublicKey({ key: { ...key }, format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    );
  };

  it('take over the key that an earlier version kept in a file, and the file goes', async () => {
    const { keys } = await jwks();
    expect(keys).toHaveLength(1);
    expect(keys[0]).toMatchObject(legacy.publicKey.export({ format: 'jwk' }));
    expect(existsSync(paths.control.jwtKey)).toBe(false);
  });

  it('are published, without their private halves, for anybody to verify with and to keep for a while', async () => {
    const answer = await application.http.get('/api/v1/auth/jwks.json').expect(200);
    expect(answer.headers['cache-control']).toBe('public, max-age=300');
    const [key] = (answer.body as Jwks).keys;
    if (!key) throw new Error('no key');
    expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    expect(kidOf(admin.accessToken)).toBe(key.kid);
    expect(verifies(key, admin.accessToken)).toBe(true);
  });

  it('lie sealed in the database', async () => {
    const rows = await asSystem('test', () =>
      application.app.get(DataSource).query<{ text: string }[]>('SELECT k::text AS text FROM signing_keys k'),
    );
    const { privateKey } = await application.app.get(SigningKeys, { strict: false }).current();
    expect(rows).toHaveLength(1);
    for (const part of privateKey.split('\n').filter((line) => line.length > 40)) {
      for (const { text } of rows) {
        expect(text).not.toContain(part);
        expect(text).not.toContain(Buffer.from(part).toString('hex'));
      }
    }
  });

  it('are rotated by administrators; tokens of the key before stay good', async () => {
    const before = await login(admin);
    const body = (await rotate(admin).expect(201)).body as unknown;
    const { id } = body as { id: string };
    const after = await login(admin);
    expect(kidOf(after)).toBe(id);
    expect(kidOf(before)).not.toBe(id);
    await me(before).expect(200);
    await me(after).expect(200);
    expect((await jwks()).keys.map(({ kid }) => kid)).toEqual([id, kidOf(before)]);
    expect(await auditOf(application, id)).toMatchObject([{ action: 'signing-key.rotated', actor_email: admin.email }]);
  });

  it('with endPrevious end all earlier tokens at once, but nobody’s session', async () => {
    const user = await application.user('ada@example.org');
    const before = await login(user);
    await rotate(admin, { endPrevious: true }).expect(201);
    await me(before).expect(401);
    const body = (await application.http.post('/api/v1/auth/refresh').send({ refreshToken: user.refreshToken }).expect(200))
      .body as unknown;
    await me((body as TestUser).accessToken).expect(200);
    expect((await jwks()).keys).toHaveLength(1);
  });

  it('are rotated by themselves when they are old, and dropped when they verify nothing any more', async () => {
    const keys = application.app.get(SigningKeys, { strict: false });
    const admin2 = await login(admin);
    const day = 24 * 60 * 60 * 1000;
    await asSystem('test', () => keys.rotateWhenDue());
    expect(kidOf(await login(admin))).toBe(kidOf(admin2));
    await asSystem('test', () => keys.rotateWhenDue(new Date(Date.now() + 31 * day)));
    expect(kidOf(await login(admin))).not.toBe(kidOf(admin2));
    await me(admin2).expect(401);
    const body = (
      await application.http
        .get('/api/v1/auth/signing-keys')
        .set(bearer({ accessToken: await login(admin) }))
        .expect(200)
    ).body as unknown;
    expect((body as { items: { current: boolean }[] }).items.map(({ current }) => current)).toEqual([true]);
  });

  it('are nobody else’s business', async () => {
    const user = await application.user('nobody@example.org');
    await rotate(user).expect(403);
    await application.http.get('/api/v1/auth/signing-keys').set(bearer(user)).expect(403);
  });

  it('made by two replicas at the first start are one', async () => {
    const { databaseUrl } = application.config;
    const other = await TestApplication.start({ databaseUrl, paths: application.config.paths });
    const keysOf = ({ app }: TestApplication) => app.get(SigningKeys, { strict: false });
    await asSystem('test', () => application.app.get(DataSource).query('DELETE FROM signing_keys'));
    await application.app.get(Notifications).notify(application.app.get(DataSource).manager, keysChanged, {});
    const kids = () => Promise.all([application, other, application, other].map((each) => asSystem('test', () => keysOf(each).current())));
    await until(async () => new Set((await kids()).map(({ kid }) => kid)).size === 1);
    expect((await asSystem('test', () => keysOf(other).list())).map(({ id }) => id)).toEqual([(await keysOf(other).current()).kid]);
    await other.stop();
  });
});
