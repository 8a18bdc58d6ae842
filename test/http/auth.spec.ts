import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { JwtService } from '@nestjs/jwt';
import { DataSource } from 'typeorm';
import { SigningKeys } from '../../src/auth/keys/signing-keys.js';
import { asSystem } from '../../src/common/request-context.js';
import { TestApplication, type TestUser, bearer } from '../support/application.js';

interface Grant {
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
  user: { email: string };
}

describe('auth', () => {
  let application: TestApplication;
  let ada: TestUser;

  beforeAll(async () => {
    application = await TestApplication.start();
    ada = await application.user('Ada@Example.org');
  });

  afterAll(async () => {
    await application.stop();
  });

  const login = (email: string, password: string) => application.http.post('/api/v1/auth/login').send({ email, password });
  const refresh = (refreshToken: string) => application.http.post('/api/v1/auth/refresh').send({ refreshToken });
  const me = (accessToken: string) => application.http.get('/api/v1/me').set(bearer({ accessToken }));

  describe('POST /auth/login', () => {
    it('answers with tokens that work, whatever the case of the address', async () => {
      const grant = (await login('aDA@example.ORG', ada.password).expect(200)).body as Grant;
      expect(grant).toMatchObject({ expiresIn: 600, user: { email: 'ada@example.org', platformAdmin: false } });
      await me(grant.accessToken).expect(200);
    });

    it('is not cached, and carries the request id in and out', async () => {
      const answer = await login('ada@example.org', ada.password).set('X-Request-Id', 'from-the-client-1').expect(200);
      expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'x-request-id': 'from-the-client-1' });
    });

    it('gives the same answer for a wrong password and an unknown address', async () => {
      const wrong = await login('ada@example.org', 'not this one').expect(401);
      const unknown = await login('nobody@example.org', 'not this one').expect(401);
      const comparable = (body: Record<string, unknown>) => ({ ...body, requestId: '' });
      expect(comparable(wrong.body as Record<string, unknown>)).toEqual(comparable(unknown.body as Record<string, unknown>));
      expect(wrong.body).toMatchObject({ code: 'CREDENTIALS_WRONG' });
    });

    it('names each fault of a bad body', async () => {
      const answer = await application.http.post('/api/v1/auth/login').send({ email: 'no address', role: 'admin' }).expect(400);
      expect(answer.headers['content-type']).toContain('application/problem+json');
      const faults = (answer.body as { errors: { path: string; code: string }[] }).errors;
      expect(faults.map((fault) => fault.path)).toEqual(expect.arrayContaining(['email', 'password', 'role']));
      expect(faults).toContainEqual(expect.objectContaining({ path: 'role', code: 'UNKNOWN_FIELD' }));
    });

    it('refuses broken JSON and bodies that are too large', async () => {
      const post = (body: string) => application.http.post('/api/v1/auth/login').set('Content-Type', 'application/json').send(body);
      expect((await post('{"email":').expect(400)).body).toMatchObject({
        code: 'REQUEST_INVALID',
        requestId: expect.stringMatching(/^\S{36}$/) as unknown,
      });
      expect((await post(JSON.stringify({ email: 'x'.repeat(2_000_000) })).expect(413)).body).toMatchObject({ code: 'BODY_TOO_LARGE' });
    });

    it('R22: makes known and unknown accounts wait after five failures, and forgets them after a right password', async () => {
      const grace = await application.user('grace@example.org');
      for (let attempt = 0; attempt < 4; attempt += 1) await login(grace.email, 'not this one').expect(401);
      await login(grace.email, grace.password).expect(200);
      for (const email of [grace.email, 'unknown@example.org']) {
        for (let attempt = 0; attempt < 5; attempt += 1) await login(email, 'not this one').expect(401);
        const refused = await login(email, 'not this one').expect(429);
        expect(refused.body).toMatchObject({ code: 'TOO_MANY_ATTEMPTS' });
        expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      }
      await login(grace.email, grace.password).expect(429);
    });

    it('R20: refuses a disabled user, whose sessions end at once', async () => {
      const user = await application.user('gone@example.org');
      await application.app.get(DataSource).query('UPDATE users SET disabled_at = now() WHERE id = $1', [user.id]);
      await login(user.email, user.password).expect(401);
      await me(user.accessToken).expect(401);
      await refresh(user.refreshToken).expect(401);
    });
  });

  describe('access tokens', () => {
    const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claimsOf = (token: string) =>
      JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
    const currentKey = () => application.app.get(SigningKeys, { strict: false }).current();
    const sign = (claims: Record<string, unknown>, { kid, privateKey }: { kid: string; privateKey: string }) =>
      new JwtService({}).sign(claims, { algorithm: 'ES256', privateKey, keyid: kid });

    it.each([
      ['without a token', undefined],
      ['with something else', 'Bearer hello'],
      ['with Basic', `Basic ${Buffer.from('ada:x').toString('base64')}`],
    ])('are needed: %s', async (_name, header) => {
      const call = application.http.get('/api/v1/me');
      const answer = await (header === undefined ? call : call.set('Authorization', header)).expect(401);
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    });

    it('R16: are refused without a signature (alg: none), and with an empty one', async () => {
      const { kid } = await currentKey();
      const claims = base64(claimsOf(ada.accessToken));
      for (const alg of ['none', 'None', 'ES256']) await me(`${base64({ alg, typ: 'JWT', kid })}.${claims}.`).expect(401);
      await me(`${base64({ alg: 'none', typ: 'JWT' })}.${claims}.`).expect(401);
      await me(ada.accessToken.replace(/[^.]+$/, '')).expect(401);
    });

    it('R16: are refused when signed with the public key as a shared secret (HS256)', async () => {
      const { kid, privateKey } = await currentKey();
      const publicKey = createPublicKey(privateKey);
      const secrets = [publicKey.export({ type: 'spki', format: 'pem' }), publicKey.export({ type: 'spki', format: 'der' })];
      for (const secret of secrets) {
        const unsigned = `${base64({ alg: 'HS256', typ: 'JWT', kid })}.${base64(claimsOf(ada.accessToken))}`;
        await me(`${unsigned}.${createHmac('sha256', secret).update(unsigned).digest('base64url')}`).expect(401);
      }
    });

    it('R16: are refused when signed by another key, known by no name or by the name of ours', async () => {
      const { kid } = await currentKey();
      const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      for (const name of [kid, 'unknown', `../${kid}`, '']) {
        await me(sign(claimsOf(ada.accessToken), { kid: name, privateKey: other })).expect(401);
      }
      const { privateKey } = await currentKey();
      await me(new JwtService({}).sign(claimsOf(ada.accessToken), { algorithm: 'ES256', privateKey })).expect(401);
    });

    it.each([
      ['audience', { aud: 'somebody-else' }],
      ['issuer', { iss: 'somebody-else' }],
      ['type', { type: 'refresh' }],
      ['type (none)', { type: undefined }],
      ['time', { exp: 1_000_000_000 }],
      ['session', { sid: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' }],
      ['user', { sub: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' }],
    ])('R17: are refused with a wrong %s, though our own key signed them', async (_name, changed) => {
      const claims = claimsOf(ada.accessToken);
      await me(sign(claims, await currentKey())).expect(200);
      await me(sign(JSON.parse(JSON.stringify({ ...claims, ...changed })) as Record<string, unknown>, await currentKey())).expect(401);
    });

    it('R17: are not refresh tokens, nor the other way round', async () => {
      await me(ada.refreshToken).expect(401);
      await refresh(ada.accessToken).expect(401);
    });

    it('R26: are refused in a query string, with a warning', async () => {
      for (const name of ['access_token', 'token', 'apiKey', 'session', 'filter[token]', 'q']) {
        const answer = await application.http.get(`/api/v1/me?${name}=${ada.accessToken}`).expect(400);
        expect(answer.body).toMatchObject({ code: 'SECRET_IN_QUERY', requestId: answer.headers['x-request-id'] as unknown });
        expect(answer.text).not.toContain(ada.accessToken);
      }
    });
  });

  describe('POST /auth/refresh', () => {
    const open = async () => (await login('ada@example.org', ada.password).expect(200)).body as Grant;

    it('rotates: the new tokens work, the old access token still does, the old refresh token never again', async () => {
      const first = await open();
      const second = (await refresh(first.refreshToken).expect(200)).body as Grant;
      expect(second.refreshToken).not.toBe(first.refreshToken);
      await me(second.accessToken).expect(200);
      await me(first.accessToken).expect(200);
    });

    it('R18: a used refresh token replayed ends the whole session, and is an audit event', async () => {
      const first = await open();
      const second = (await refresh(first.refreshToken).expect(200)).body as Grant;
      await refresh(first.refreshToken).expect(401);
      await refresh(second.refreshToken).expect(401);
      await me(second.accessToken).expect(401);
      const events = await asSystem('test', () =>
        application.app
          .get(DataSource)
          .query<{ outcome: string; actor_email: string }[]>(
            `SELECT outcome, actor_email FROM audit_events WHERE action = 'session.refresh-token-replayed'`,
          ),
      );
      expect(events).toEqual([{ outcome: 'denied', actor_email: 'ada@example.org' }]);
    });

    it('R19: lets one of several at once win, and its session lives on', async () => {
      const first = await open();
      // The row is held until all of them have begun, so that they are truly at once.
      const runner = application.app.get(DataSource).createQueryRunner();
      await runner.startTransaction();
      await asSystem('test', () => runner.query('SELECT 1 FROM refresh_tokens FOR UPDATE'));
      const calls = Array.from({ length: 4 }, () => refresh(first.refreshToken).then((answer) => answer));
      await waitForWaiting(runner.dataSource, 4);
      await runner.commitTransaction();
      await runner.release();
      const answers = await Promise.all(calls);
      expect(answers.map((answer) => answer.status).sort()).toEqual([200, 401, 401, 401]);
      const winner = answers.find((answer) => answer.status === 200)?.body as Grant;
      await me(winner.accessToken).expect(200);
      await refresh(winner.refreshToken).expect(200);
    });

    it('keeps no token in clear', async () => {
      const grant = await open();
      const rows = await asSystem('test', () =>
        application.app
          .get(DataSource)
          .query<{ row: string }[]>(`SELECT t::text AS row FROM refresh_tokens t UNION ALL SELECT s::text FROM sessions s`),
      );
      expect(rows.length).toBeGreaterThan(2);
      expect(
        rows.filter(({ row }) => row.includes(grant.refreshToken) || row.includes(Buffer.from(grant.refreshToken).toString('hex'))),
      ).toEqual([]);
    });

    it('names the fault of a bad body', async () => {
      expect((await refresh('').expect(400)).body).toMatchObject({ errors: [expect.objectContaining({ path: 'refreshToken' })] });
    });
  });

  describe('POST /auth/logout', () => {
    it('ends the session at once', async () => {
      const grant = (await login('ada@example.org', ada.password)).body as Grant;
      await application.http.post('/api/v1/auth/logout').send({ refreshToken: grant.refreshToken }).expect(204);
      await me(grant.accessToken).expect(401);
      await refresh(grant.refreshToken).expect(401);
    });

    it('does not mind an unknown token', async () => {
      await application.http.post('/api/v1/auth/logout').send({ refreshToken: 'hithe_rt_unknown' }).expect(204);
    });
  });

  describe('GET /me', () => {
    it('shows the caller and their teams', async () => {
      const answer = await me(ada.accessToken).expect(200);
      expect(answer.body).toEqual({
        id: ada.id,
        email: 'ada@example.org',
        platformAdmin: false,
        teams: [{ id: ada.teamId, slug: 'ada', name: 'ada', role: 'owner' }],
      });
    });
  });

  it('answers an unknown route with a problem', async () => {
    const answer = await application.http.get('/api/v1/nothing').set(bearer(ada)).expect(404);
    expect(answer.body).toMatchObject({ code: 'ROUTE_NOT_FOUND', status: 404, instance: '/api/v1/nothing' });
  });
});

async function waitForWaiting(dataSource: DataSource, wanted: number): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    const [found] = await dataSource.query<{ waiting: number }[]>(
      `SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
    );
    if ((found?.waiting ?? 0) >= wanted) return;
  }
  throw new Error(`Fewer than ${wanted} requests wait for the lock`);
}
