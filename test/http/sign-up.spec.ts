import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApplication, bearer } from '../support/application.js';
import { MailServer, tokenIn } from '../support/mail-server.js';

const PASSWORD = 'tulips never dance alone';

describe('sign-up', () => {
  const post = (application: TestApplication, path: string, body: object) => application.http.post(`/api/v1/auth${path}`).send(body);
  const options = async (application: TestApplication) =>
    (await application.http.get('/api/v1/auth/options').expect(200)).body as { signUp: string; mail: boolean };

  describe.each(['invite', 'oidc'] as const)('by %s', (signUp) => {
    it('is closed, and says so', async () => {
      const application = await TestApplication.start({ signUp });
      expect(await options(application)).toMatchObject({ signUp, mail: false });
      const answer = await post(application, '/sign-up', { email: 'ada@example.org', password: PASSWORD }).expect(403);
      expect(answer.body).toMatchObject({ code: 'SIGN_UP_CLOSED' });
      await application.stop();
    });
  });

  describe('open, without mail', () => {
    let application: TestApplication;

    beforeAll(async () => {
      application = await TestApplication.start({ signUp: 'open', trustProxy: 1 });
    });

    afterAll(async () => {
      await application.stop();
    });

    it('opens an account with a personal team, and logs in', async () => {
      const body = (await post(application, '/sign-up', { email: 'Ada@example.org', password: PASSWORD }).expect(201)).body as unknown;
      const me = await application.http
        .get('/api/v1/me')
        .set(bearer(body as { accessToken: string }))
        .expect(200);
      expect(me.body).toMatchObject({ email: 'ada@example.org', platformAdmin: false, teams: [{ role: 'owner' }] });
      await post(application, '/login', { email: 'ada@example.org', password: PASSWORD }).expect(200);
      await post(application, '/sign-up', { email: 'ADA@example.org', password: PASSWORD }).expect(409);
    });

    it('R24: refuses common passwords, and R30: everything that is not asked for', async () => {
      await post(application, '/sign-up', { email: 'x@example.org', password: 'password1234' }).expect(400);
      for (const extra of [{ platformAdmin: true }, { teamId: 'x' }, { role: 'owner' }]) {
        await post(application, '/sign-up', { email: 'x@example.org', password: PASSWORD, ...extra }).expect(400);
      }
      await post(application, '/sign-up', { email: 'robot@team.service', password: PASSWORD }).expect(400);
    });

    it('is limited for one address of the network, as the proxy reports it', async () => {
      const from = (address: string, number: number) =>
        post(application, '/sign-up', { email: `many${number}@example.org`, password: 'short' }).set('X-Forwarded-For', address);
      for (let number = 0; number < 20; number += 1) await from('203.0.113.1', number).expect(400);
      await from('203.0.113.1', 20).expect(429);
      await from('203.0.113.2', 21).expect(400);
    });
  });

  describe('open, with mail', () => {
    let mails: MailServer;
    let application: TestApplication;

    beforeAll(async () => {
      mails = await MailServer.start();
      application = await TestApplication.start({ signUp: 'open', smtpUrl: mails.url });
    });

    afterAll(async () => {
      await application.stop();
      await mails.stop();
    });

    const signUp = (email: string, password = PASSWORD) => post(application, '/sign-up', { email, password }).expect(202);
    const confirm = (token: string, password = PASSWORD) => post(application, '/sign-up/confirm', { token, password });
    const login = (email: string, password = PASSWORD) => post(application, '/login', { email, password });

    it('opens the account when the link comes back with the password, once', async () => {
      await signUp('ada@example.org');
      await login('ada@example.org').expect(401);
      const token = tokenIn(await mails.to('ada@example.org'));
      await confirm(token, 'another password of mine').expect(404);
      await confirm(token).expect(201);
      await login('ada@example.org').expect(200);
      await confirm(token).expect(404);
    });

    it('answers the same for an address that has an account, and tells only its owner', async () => {
      await application.user('grace@example.org');
      const known = await signUp('grace@example.org', 'a password of somebody else');
      const unknown = await signUp('nobody@example.org');
      expect(known.body).toEqual(unknown.body);
      const mail = await mails.to('grace@example.org');
      expect(mail.subject).toBe('You have an account already');
      expect(mail.body).not.toContain('hithe_su_');
    });

    it('does not let somebody prepare an account with their password for the owner of the address', async () => {
      await signUp('victim@example.org', 'the password of an attacker');
      const planted = tokenIn(await mails.to('victim@example.org'));
      await confirm(planted, 'what the victim would choose').expect(404);
      await signUp('victim@example.org', 'what the victim would choose');
      const own = tokenIn(await mails.to('victim@example.org', 2));
      await confirm(planted, 'the password of an attacker').expect(404);
      await confirm(own, 'what the victim would choose').expect(201);
      await login('victim@example.org', 'the password of an attacker').expect(401);
    });
  });
});
