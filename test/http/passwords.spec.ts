import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hash } from '@node-rs/argon2';
import { DataSource } from 'typeorm';
import { ARGON2 } from '../../src/auth/passwords/password-hasher.js';
import { asSystem } from '../../src/common/request-context.js';
import { TestApplication, type TestUser, bearer } from '../support/application.js';
import { auditOf } from '../support/audit.js';
import { MailServer, tokenIn } from '../support/mail-server.js';

const BETTER = 'tulips never dance alone';

describe('passwords', () => {
  let mails: MailServer;
  let application: TestApplication;
  let admin: TestUser;

  const query = <T>(sql: string, parameters: unknown[]) =>
    asSystem('test', () => application.app.get(DataSource).query<T>(sql, parameters));

  beforeAll(async () => {
    mails = await MailServer.start();
    application = await TestApplication.start({ smtpUrl: mails.url, publicUrl: 'https://hithe.example.org', trustProxy: ['loopback'] });
    admin = await application.user('platform@example.org', { platformAdmin: true });
  });

  afterAll(async () => {
    await application.stop();
    await mails.stop();
  });

  const post = (path: string, body: object, user?: { accessToken: string }) => {
    const call = application.http.post(`/api/v1${path}`).send(body);
    return user ? call.set(bearer(user)) : call;
  };
  const login = (email: string, password: string) => post('/auth/login', { email, password });
  const me = (user: { accessToken: string }) => application.http.get('/api/v1/me').set(bearer(user));
  const faultsOf = (body: unknown) =>
    (body as { errors: { path: string; code: string }[] }).errors.map(({ path, code }) => `${path} ${code}`);

  describe('POST /me/password', () => {
    const change = (user: TestUser, currentPassword: string, newPassword: string) =>
      post('/me/password', { currentPassword, newPassword }, user);

    it('changes it, ends the other sessions, keeps this one, and is an event', async () => {
      const ada = await application.user('ada@example.org');
      const other = (await login(ada.email, ada.password).expect(200)).body as { accessToken: string; refreshToken: string };
      const answer = await change(ada, ada.password, BETTER).expect(200);
      expect(answer.body).toEqual({ endedSessions: 1, remainingTokens: [], remainingPasskeys: [], remainingIdentities: [] });
      await me(ada).expect(200);
      await me(other).expect(401);
      await post('/auth/refresh', { refreshToken: other.refreshToken }).expect(401);
      await login(ada.email, ada.password).expect(401);
      await login(ada.email, BETTER).expect(200);
      expect((await auditOf(application, ada.id)).map(({ action }) => action)).toEqual(
        expect.arrayContaining(['password.changed', 'session.all-revoked', 'user.log-in-refused', 'user.logged-in']),
      );
      expect((await mails.to(ada.email)).subject).toBe('Your password was changed');
    });

    it('needs the current one', async () => {
      const user = await application.user('current@example.org');
      expect((await change(user, 'not this one', BETTER).expect(403)).body).toMatchObject({ code: 'CURRENT_PASSWORD_WRONG' });
      await login(user.email, user.password).expect(200);
    });

    it.each([
      ['short', 'PASSWORD_TOO_SHORT'],
      ['password1234', 'PASSWORD_COMMON'],
      ['1qaz2wsx3edc', 'PASSWORD_COMMON'],
      ['unbelievable', 'PASSWORD_COMMON'],
      ['P@ssw0rd1234', 'PASSWORD_COMMON'],
      ['trustno1trustno1', 'PASSWORD_COMMON'],
      ['magellanic12', 'PASSWORD_COMMON'],
    ])('R24: refuses the common password %s', async (password, code) => {
      const user = await application.user(`magellanic@${hashOf(password)}.example.org`);
      expect(faultsOf((await change(user, user.password, password).expect(400)).body)).toEqual([`newPassword ${code}`]);
    });

    it('R24: takes what has no digits, capitals or signs, is long, or is not Latin', async () => {
      const user = await application.user('liberal@example.org');
      const wanted = [
        BETTER,
        'онегин добрый мой приятель',
        `${'x'.repeat(3)}${'long passphrase of many words '.repeat(7)}`.slice(0, 256),
        '  spaces kept, both ends  ',
      ];
      let current = user.password;
      for (const password of wanted) {
        await change(user, current, password).expect(200);
        current = password;
      }
      await login(user.email, current.trim()).expect(401);
      await login(user.email, current).expect(200);
    });

    it('can be tried ten times in a quarter of an hour', async () => {
      const user = await application.user('patient@example.org');
      for (let attempt = 0; attempt < 10; attempt += 1) await change(user, 'not this one', BETTER).expect(403);
      expect((await change(user, user.password, BETTER).expect(429)).body).toMatchObject({ code: 'TOO_MANY_ATTEMPTS' });
    });
  });

  describe('R21: a hash of weaker parameters', () => {
    it('is made again at the next log-in', async () => {
      const user = await application.user('old@example.org');
      const weak = await hash(user.password, { ...ARGON2, memoryCost: 4_096, timeCost: 1 });
      await query('UPDATE users SET password_hash = $2 WHERE id = $1', [user.id, weak]);
      await login(user.email, user.password).expect(200);
      const [row] = await query<{ password_hash: string }[]>('SELECT password_hash FROM users WHERE id = $1', [user.id]);
      expect(row?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
      await login(user.email, user.password).expect(200);
    });
  });

  it('a new password names what else still logs in: somebody who knew the old one may have left it', async () => {
    const user = await application.user('robbed@example.org');
    await query(
      `INSERT INTO passkeys (id, user_id, credential_id, public_key, counter, transports, name, backed_up)
       VALUES (gen_random_uuid(), $1, 'planted', '', 0, '{}', 'planted key', false)`,
      [user.id],
    );
    await query(
      `INSERT INTO identities (id, user_id, issuer, subject, email) VALUES (gen_random_uuid(), $1, 'https://id.test', 'm', 'mallory@id.test')`,
      [user.id],
    );
    const answer = await post('/me/password', { currentPassword: user.password, newPassword: BETTER }, user).expect(200);
    expect(answer.body).toMatchObject({ remainingPasskeys: ['planted key'], remainingIdentities: ['mallory@id.test'] });
  });

  describe('a reset by mail', () => {
    const request = (email: string) => post('/auth/password-reset/request', { email });
    const confirm = (token: string, password: string) => post('/auth/password-reset/confirm', { token, password });

    it('sets a new password once, ends all sessions, and leaves API tokens, which it names', async () => {
      const user = await application.user('forgetful@example.org');
      const token = (await post('/me/tokens', { name: 'nightly', scopes: ['read'] }, user).expect(201)).body as unknown;
      await request('Forgetful@example.org').expect(202);
      const mail = await mails.to(user.email);
      expect(mail.body).toContain('https://hithe.example.org/password-reset#hithe_pr_');
      const answer = await confirm(tokenIn(mail), BETTER).expect(200);
      expect(answer.body).toEqual({
        endedSessions: 1,
        remainingTokens: [{ id: (token as { id: string }).id, name: 'nightly' }],
        remainingPasskeys: [],
        remainingIdentities: [],
      });
      await me(user).expect(401);
      await login(user.email, BETTER).expect(200);
      expect((await confirm(tokenIn(mail), `${BETTER} twice`).expect(404)).body).toMatchObject({ code: 'LINK_INVALID' });
      expect((await auditOf(application, user.id)).map(({ action }) => action)).toEqual(
        expect.arrayContaining(['password.reset-requested', 'password.reset']),
      );
    });

    it('R22: answers the same for an unknown address, and sends nothing', async () => {
      const known = await application.user('known@example.org');
      const answers = [await request(known.email).expect(202), await request('stranger@example.org').expect(202)];
      expect(answers[0]?.body).toEqual(answers[1]?.body);
      await mails.to(known.email);
      expect(mails.mails.filter((mail) => mail.to.includes('stranger@example.org'))).toEqual([]);
    });

    it('holds for an hour, only by its newest link, and a bad password does not use it up', async () => {
      const user = await application.user('newest@example.org');
      await request(user.email).expect(202);
      const first = tokenIn(await mails.to(user.email));
      await request(user.email).expect(202);
      const second = tokenIn(await mails.to(user.email, 2));
      await confirm(first, BETTER).expect(404);
      expect(faultsOf((await confirm(second, 'password1234').expect(400)).body)).toEqual(['password PASSWORD_COMMON']);
      await asSystem('test', () =>
        application.app
          .get(DataSource)
          .query(`UPDATE password_resets SET expires_at = now() - interval '1 second' WHERE user_id = $1`, [user.id]),
      );
      await confirm(second, BETTER).expect(404);
      await login(user.email, user.password).expect(200);
    });

    it('of two at once lets one win', async () => {
      const user = await application.user('twice@example.org');
      await request(user.email).expect(202);
      const token = tokenIn(await mails.to(user.email));
      const answers = await Promise.all([1, 2, 3].map((each) => confirm(token, `${BETTER} ${each}`)));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 404, 404]);
    });

    it('goes on when the mail server is away for a while', async () => {
      const user = await application.user('later@example.org');
      mails.refuseNext(1);
      await request(user.email).expect(202);
      expect(tokenIn(await mails.to(user.email))).toMatch(/^hithe_pr_/);
    });

    it('can be asked for five times an hour for an address', async () => {
      for (let attempt = 0; attempt < 5; attempt += 1) await request('often@example.org').expect(202);
      await request('often@example.org').expect(429);
      await post('/auth/password-reset/request', { email: 'often@example.org' }).set('X-Forwarded-For', '203.0.113.9').expect(429);
    });
  });

  describe('POST /users/:userId/password-reset', () => {
    it('gives administrators a link, also for an account without a password', async () => {
      const user = await application.user('linked@example.org');
      await asSystem('test', () => application.app.get(DataSource).query('UPDATE users SET password_hash = NULL WHERE id = $1', [user.id]));
      await login(user.email, user.password).expect(401);
      expect((await post('/me/password', { currentPassword: 'x', newPassword: BETTER }, user).expect(409)).body).toMatchObject({
        code: 'PASSWORD_NOT_SET',
      });
      const body = (await post(`/users/${user.id}/password-reset`, {}, admin).expect(201)).body as unknown;
      const { link, mailed } = body as { link: string; mailed: boolean };
      expect(mailed).toBe(true);
      const token = link.split('#')[1] ?? '';
      expect(tokenIn(await mails.to(user.email))).toBe(token);
      await post('/auth/password-reset/confirm', { token, password: BETTER }).expect(200);
      await login(user.email, BETTER).expect(200);
    });

    it('is for administrators', async () => {
      const user = await application.user('plain@example.org');
      await post(`/users/${user.id}/password-reset`, {}, user).expect(403);
      await post('/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/password-reset', {}, admin).expect(404);
    });
  });
});

/** Tells test users apart. */
function hashOf(text: string): number {
  return Array.from(text).reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) % 100_003, 7);
}
