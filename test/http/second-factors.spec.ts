import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generate } from 'otplib';
import { DataSource } from 'typeorm';
import { asSystem } from '../../src/common/request-context.js';
import { TestApplication, type TestUser, bearer } from '../support/application.js';
import { until } from '../support/until.js';

interface Challenge {
  challenge: string;
  methods: string[];
  expiresIn: number;
}
interface Grant {
  accessToken: string;
  refreshToken: string;
}

const STEP_SECONDS = 30;

/** A user's authenticator app. Its clock stands still, so that a test owns two codes that are good for half a minute at least. */
class AuthenticatorApp {
  private readonly step = Math.floor(Date.now() / 1000 / STEP_SECONDS);
  constructor(readonly secret: string) {}
  now(): Promise<string> {
    return generate({ secret: this.secret, epoch: this.step * STEP_SECONDS });
  }
  next(): Promise<string> {
    return generate({ secret: this.secret, epoch: (this.step + 1) * STEP_SECONDS });
  }
}

describe('second factors', () => {
  let application: TestApplication;
  let ada: TestUser;
  let people = 0;

  beforeAll(async () => {
    application = await TestApplication.start();
    ada = await application.user('ada@example.org');
  });

  afterAll(async () => {
    await application.stop();
  });

  const post = (path: string, body: object = {}, user?: { accessToken: string }) => {
    const call = application.http.post(`/api/v1${path}`).send(body);
    return user ? call.set(bearer(user)) : call;
  };
  const get = (path: string, user: { accessToken: string }) => application.http.get(`/api/v1${path}`).set(bearer(user));
  const remove = (path: string, user: { accessToken: string }) => application.http.delete(`/api/v1${path}`).set(bearer(user));
  const newcomer = () => application.user(`person${(people += 1)}@example.org`);
  const login = (user: TestUser) => post('/auth/login', { email: user.email, password: user.password });
  const challenge = async (user: TestUser) => (await login(user).expect(202)).body as Challenge;
  const query = <T>(sql: string, parameters: unknown[]) =>
    asSystem('test', () => application.app.get(DataSource).query<T>(sql, parameters));
  const actionsOf = async (user: TestUser) => {
    const rows = await query<{ action: string; outcome: string }[]>(
      `SELECT action, outcome FROM audit_events WHERE actor_id = $1 ORDER BY seq`,
      [user.id],
    );
    return rows.map(({ action, outcome }) => `${action} ${outcome}`);
  };

  const prove = (user: TestUser) => post('/me/reauthenticate', { password: user.password }, user).expect(204);

  /** Sets up an authenticator app; its present code is used up by the confirmation. */
  const enrol = async (user: TestUser) => {
    await prove(user);
    const { secret } = (await post('/me/totp', {}, user).expect(201)).body as { secret: string };
    const device = new AuthenticatorApp(secret);
    const { recoveryCodes } = (await post('/me/totp/confirm', { code: await device.now() }, user).expect(200)).body as {
      recoveryCodes: string[];
    };
    // The proof is an old one.
    await query('UPDATE sessions SET proved_at = NULL WHERE user_id = $1', [user.id]);
    return { device, recoveryCodes };
  };

  describe('an authenticator app', () => {
    it('counts only once a code has confirmed it', async () => {
      const user = await newcomer();
      await prove(user);
      const begun = (await post('/me/totp', {}, user).expect(201)).body as { secret: string; uri: string };
      expect(begun.uri).toContain(`secret=${begun.secret}`);
      await login(user).expect(200);
      expect((await post('/me/totp/confirm', { code: '000000' }, user).expect(400)).body).toMatchObject({ code: 'CODE_WRONG' });
      const device = new AuthenticatorApp(begun.secret);
      const confirmed = (await post('/me/totp/confirm', { code: await device.now() }, user).expect(200)).body as {
        recoveryCodes: string[];
      };
      expect(confirmed.recoveryCodes).toHaveLength(10);
      await login(user).expect(202);
      expect((await get('/me/second-factors', user).expect(200)).body).toEqual({
        totp: true,
        passkeys: false,
        recoveryCodesLeft: 10,
        required: false,
      });
      expect((await post('/me/totp', {}, user).expect(409)).body).toMatchObject({ code: 'TOTP_ENABLED' });
      expect((await post('/me/totp/confirm', { code: await device.next() }, user).expect(409)).body).toMatchObject({
        code: 'TOTP_NOT_BEGUN',
      });
    });

    it('is asked for after the right password, and never told of after a wrong one', async () => {
      const user = await newcomer();
      const { device } = await enrol(user);
      await post('/auth/login', { email: user.email, password: 'not this one at all' }).expect(401);
      const answer = await challenge(user);
      expect(answer).toEqual({
        challenge: expect.stringMatching(/^hithe_lc_/) as unknown,
        methods: ['totp', 'recovery-code'],
        expiresIn: 300,
      });
      const grant = (await post('/auth/login/second-factor', { challenge: answer.challenge, totp: await device.next() }).expect(200))
        .body as Grant;
      await get('/me', grant).expect(200);
      expect(await actionsOf(user)).toEqual(expect.arrayContaining(['totp.enabled success', 'user.logged-in success']));
    });

    it('keeps its secret sealed (R25)', async () => {
      const user = await newcomer();
      const { device } = await enrol(user);
      const [row] = await query<{ secret: Buffer }[]>('SELECT secret FROM totp_credentials WHERE user_id = $1', [user.id]);
      expect(row?.secret.includes(device.secret)).toBe(false);
      expect(row?.secret.length).toBeGreaterThan(device.secret.length);
    });

    it('R45: survives the rotation of the platform key', async () => {
      const admin = await application.user('key-keeper@example.org', { platformAdmin: true });
      const user = await newcomer();
      const { device } = await enrol(user);
      const sealed = () => query<{ secret: Buffer }[]>('SELECT secret FROM totp_credentials WHERE user_id = $1', [user.id]);
      const [before] = await sealed();
      await post('/platform/keys/rotate', {}, admin).expect((answer) => {
        expect(answer.status).toBeLessThan(300);
      });
      await until(async () => (await sealed())[0]?.secret.equals(before?.secret ?? Buffer.of()) === false);
      const { challenge: token } = await challenge(user);
      await post('/auth/login/second-factor', { challenge: token, totp: await device.next() }).expect(200);
    });

    it('R23: a one-time code that was used is refused with 401, also in another log-in', async () => {
      const user = await newcomer();
      const { device } = await enrol(user);
      const code = await device.next();
      const [first, second] = [await challenge(user), await challenge(user)];
      // The code that confirmed the app is used as well.
      await post('/auth/login/second-factor', { challenge: first.challenge, totp: await device.now() }).expect(401);
      await post('/auth/login/second-factor', { challenge: first.challenge, totp: code }).expect(200);
      const replayed = await post('/auth/login/second-factor', { challenge: second.challenge, totp: code }).expect(401);
      expect(replayed.body).toMatchObject({ code: 'SECOND_FACTOR_WRONG' });
      expect(await actionsOf(user)).toContain('user.log-in-refused denied');
    });

    it('R23: of two log-ins with the same code at once, one wins', async () => {
      const user = await newcomer();
      const { device } = await enrol(user);
      const totp = await device.next();
      const challenges = [await challenge(user), await challenge(user), await challenge(user), await challenge(user)];
      const answers = await Promise.all(challenges.map((each) => post('/auth/login/second-factor', { challenge: each.challenge, totp })));
      expect(answers.map((answer) => answer.status).sort()).toEqual([200, 401, 401, 401]);
    });

    it('R23: of two requests with the same challenge and code at once, one wins', async () => {
      const user = await newcomer();
      const { device } = await enrol(user);
      const body = { challenge: (await challenge(user)).challenge, totp: await device.next() };
      const answers = await Promise.all([1, 2, 3].map(() => post('/auth/login/second-factor', body)));
      expect(answers.map((answer) => answer.status).sort()).toEqual([200, 401, 401]);
    });

    it('cannot be guessed: five codes for a log-in, ten for an account', async () => {
      const user = await newcomer();
      const { device } = await enrol(user);
      const first = await challenge(user);
      for (let attempt = 0; attempt < 5; attempt += 1) {
        await post('/auth/login/second-factor', { challenge: first.challenge, totp: '000000' }).expect(401);
      }
      const spent = await post('/auth/login/second-factor', { challenge: first.challenge, totp: await device.next() }).expect(401);
      expect(spent.body).toMatchObject({ code: 'CHALLENGE_INVALID' });
      const second = await challenge(user);
      for (let attempt = 0; attempt < 4; attempt += 1) {
        await post('/auth/login/second-factor', { challenge: second.challenge, totp: '000000' }).expect(401);
      }
      const throttled = await post('/auth/login/second-factor', { challenge: second.challenge, totp: await device.next() }).expect(429);
      expect(throttled.body).toMatchObject({ code: 'TOO_MANY_ATTEMPTS' });
    });

    it('is set up with a fresh proof only, or a stolen access token would make its own proof for passkeys', async () => {
      const user = await newcomer();
      expect((await post('/me/totp', {}, user).expect(403)).body).toMatchObject({ code: 'REAUTHENTICATION_REQUIRED' });
      expect((await post('/me/totp/confirm', { code: '000000' }, user).expect(409)).body).toMatchObject({ code: 'TOTP_NOT_BEGUN' });
      await prove(user);
      await post('/me/totp', {}, user).expect(201);
    });

    it('is disabled with a fresh proof only', async () => {
      const user = await newcomer();
      await enrol(user);
      expect((await remove('/me/totp', user).expect(403)).body).toMatchObject({ code: 'REAUTHENTICATION_REQUIRED' });
      expect((await post('/me/reauthenticate', { password: 'not this one at all' }, user).expect(403)).body).toMatchObject({
        code: 'PROOF_WRONG',
      });
      await remove('/me/totp', user).expect(403);
      await post('/me/reauthenticate', { password: user.password }, user).expect(204);
      await remove('/me/totp', user).expect(204);
      await login(user).expect(200);
      expect((await get('/me/second-factors', user).expect(200)).body).toMatchObject({ totp: false, recoveryCodesLeft: 0 });
      expect((await remove('/me/totp', user).expect(409)).body).toMatchObject({ code: 'TOTP_NOT_ENABLED' });
      expect(await actionsOf(user)).toEqual(expect.arrayContaining(['user.reauthentication-refused denied', 'totp.disabled success']));
    });

    it('proves who one is, each code once', async () => {
      const user = await newcomer();
      const { device } = await enrol(user);
      const totp = await device.next();
      await post('/me/reauthenticate', { totp }, user).expect(204);
      await post('/me/reauthenticate', { totp }, user).expect(403);
    });
  });

  describe('a challenge', () => {
    it('expires', async () => {
      const user = await newcomer();
      const { device } = await enrol(user);
      const { challenge: token } = await challenge(user);
      await query(`UPDATE login_challenges SET expires_at = now() WHERE user_id = $1`, [user.id]);
      const answer = await post('/auth/login/second-factor', { challenge: token, totp: await device.next() }).expect(401);
      expect(answer.body).toMatchObject({ code: 'CHALLENGE_INVALID' });
    });

    it('is kept as a hash (R25), and is no token', async () => {
      const user = await newcomer();
      await enrol(user);
      const { challenge: token } = await challenge(user);
      const rows = await query<{ text: string }[]>('SELECT c::text AS text FROM login_challenges c WHERE user_id = $1', [user.id]);
      expect(rows).toHaveLength(1);
      expect(rows[0]?.text).not.toContain(token);
      await get('/me', { accessToken: token }).expect(401);
    });

    it('belongs to its user: another one’s code does not finish it', async () => {
      const [user, other] = [await newcomer(), await newcomer()];
      await enrol(user);
      const { device, recoveryCodes } = await enrol(other);
      const { challenge: token } = await challenge(user);
      await post('/auth/login/second-factor', { challenge: token, totp: await device.next() }).expect(401);
      await post('/auth/login/second-factor', { challenge: token, recoveryCode: recoveryCodes[0] }).expect(401);
    });

    it('takes exactly one proof, and no password', async () => {
      for (const body of [{}, { totp: '123456', recoveryCode: 'k3vp-x7md-92hq-acwt' }, { password: ada.password }]) {
        await post('/auth/login/second-factor', { challenge: 'hithe_lc_x', ...body }).expect(400);
      }
      await post('/auth/login/second-factor', { challenge: 'hithe_lc_x', totp: '123456' }).expect(401);
    });

    it('does not let a disabled user in', async () => {
      const user = await newcomer();
      const { device } = await enrol(user);
      const { challenge: token } = await challenge(user);
      await query('UPDATE users SET disabled_at = now() WHERE id = $1', [user.id]);
      await post('/auth/login/second-factor', { challenge: token, totp: await device.next() }).expect(401);
    });
  });

  describe('recovery codes', () => {
    it('stand in for the app, each once, however they are typed', async () => {
      const user = await newcomer();
      const { recoveryCodes } = await enrol(user);
      const [code = ''] = recoveryCodes;
      const [first, second] = [await challenge(user), await challenge(user)];
      const typed = code.toUpperCase().replaceAll('-', ' ');
      await post('/auth/login/second-factor', { challenge: first.challenge, recoveryCode: typed }).expect(200);
      await post('/auth/login/second-factor', { challenge: second.challenge, recoveryCode: code }).expect(401);
      expect((await get('/me/second-factors', user).expect(200)).body).toMatchObject({ recoveryCodesLeft: 9 });
      expect(await actionsOf(user)).toContain('recovery-code.used success');
    });

    it('work once even when used twice at once', async () => {
      const user = await newcomer();
      const { recoveryCodes } = await enrol(user);
      const challenges = [await challenge(user), await challenge(user), await challenge(user)];
      const answers = await Promise.all(
        challenges.map((each) => post('/auth/login/second-factor', { challenge: each.challenge, recoveryCode: recoveryCodes[3] })),
      );
      expect(answers.map((answer) => answer.status).sort()).toEqual([200, 401, 401]);
    });

    it('are made anew with a fresh proof, and the old ones are void', async () => {
      const user = await newcomer();
      const { recoveryCodes } = await enrol(user);
      await post('/me/recovery-codes', {}, user).expect(403);
      await post('/me/reauthenticate', { recoveryCode: recoveryCodes[9] }, user).expect(204);
      const renewed = (await post('/me/recovery-codes', {}, user).expect(200)).body as { recoveryCodes: string[] };
      expect(new Set([...renewed.recoveryCodes, ...recoveryCodes]).size).toBe(20);
      const { challenge: token } = await challenge(user);
      await post('/auth/login/second-factor', { challenge: token, recoveryCode: recoveryCodes[0] }).expect(401);
      await post('/auth/login/second-factor', { challenge: token, recoveryCode: renewed.recoveryCodes[0] }).expect(200);
      expect(await actionsOf(user)).toContain('recovery-codes.regenerated success');
    });

    it('need a factor that they could stand in for', async () => {
      const user = await newcomer();
      await post('/me/reauthenticate', { password: user.password }, user).expect(204);
      expect((await post('/me/recovery-codes', {}, user).expect(409)).body).toMatchObject({ code: 'SECOND_FACTOR_MISSING' });
    });
  });

  describe('an administrator', () => {
    it('takes lost factors away, which ends the sessions; nobody else does', async () => {
      const admin = await application.user('admin@example.org', { platformAdmin: true });
      const user = await newcomer();
      await enrol(user);
      await remove(`/users/${user.id}/second-factors`, ada).expect(403);
      await remove(`/users/${ada.id}/second-factors`, user).expect(403);
      await remove(`/users/${user.id}/second-factors`, admin).expect(204);
      await get('/me', user).expect(401);
      await login(user).expect(200);
      expect(await actionsOf(admin)).toContain('second-factors.reset success');
    });
  });
});

describe('a log-in by passkey', () => {
  it('is begun three hundred times from one address at most: each is a row', async () => {
    const application = await TestApplication.start();
    try {
      const begin = () => application.http.post('/api/v1/auth/passkeys/options');
      for (let begun = 0; begun < 300; begun += 1) await begin().expect(200);
      expect((await begin().expect(429)).body).toMatchObject({ code: 'TOO_MANY_ATTEMPTS' });
    } finally {
      await application.stop();
    }
  });
});

describe('HITHE_REQUIRE_SECOND_FACTOR', () => {
  it.each([
    ['all', false, 403],
    ['admins', true, 403],
    ['admins', false, 200],
    ['none', true, 200],
  ] as const)('%s, platform administrator %s: without one, the teams answer %i', async (requireSecondFactor, platformAdmin, status) => {
    const application = await TestApplication.start({ requireSecondFactor });
    try {
      const user = await application.user('ada@example.org', { platformAdmin });
      const teams = () => application.http.get('/api/v1/teams').set(bearer(user));
      const answer = await teams().expect(status);
      if (status === 200) return;
      expect(answer.body).toMatchObject({ code: 'SECOND_FACTOR_REQUIRED' });
      await application.http.post('/api/v1/me/reauthenticate').set(bearer(user)).send({ password: user.password }).expect(204);
      const { secret } = (await application.http.post('/api/v1/me/totp').set(bearer(user)).expect(201)).body as { secret: string };
      const code = await new AuthenticatorApp(secret).now();
      await application.http.post('/api/v1/me/totp/confirm').set(bearer(user)).send({ code }).expect(200);
      await teams().expect(200);
    } finally {
      await application.stop();
    }
  });
});
