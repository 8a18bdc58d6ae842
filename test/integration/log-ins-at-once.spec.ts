import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PasswordHasher } from '../../src/auth/passwords/password-hasher.js';
import { asSystem } from '../../src/common/request-context.js';
import { TransactionRunner } from '../../src/database/transaction-runner.js';
import { UsersService } from '../../src/modules/users/users.service.js';
import { TestApplication, type TestUser, bearer } from '../support/application.js';
import { until } from '../support/until.js';

const USERS = 200;
const WRONG = 50;
const PASSWORD = 'tulips never dance alone';
/** What docs/security.md states. */
const REVOKED_WITHIN_MS = 2_000;

describe('200 log-ins at once, 50 of them wrong, while an administrator ends a session', () => {
  let application: TestApplication;
  let admin: TestUser;
  let victim: TestUser;

  beforeAll(async () => {
    application = await TestApplication.start({ trustProxy: ['loopback'] });
    admin = await application.user('platform@example.org', { platformAdmin: true });
    victim = await application.user('victim@example.org');
    const passwordHash = await application.app.get(PasswordHasher, { strict: false }).hash(PASSWORD);
    const users = application.app.get(UsersService, { strict: false });
    await asSystem('test', () =>
      application.app.get(TransactionRunner).run(async (tx) => {
        for (let number = 0; number < USERS; number += 1) {
          await users.create(tx, { email: emailOf(number), passwordHash, platformAdmin: false, emailVerified: false, via: 'bootstrap' });
        }
      }),
    );
  });

  afterAll(async () => {
    await application.stop();
  });

  const emailOf = (number: number) => `user${number}@example.org`;
  const isWrong = (number: number) => number % (USERS / WRONG) === 0;
  const login = (number: number) =>
    application.http
      .post('/api/v1/auth/login')
      .set('X-Forwarded-For', `10.0.${number >> 8}.${number & 255}`)
      .send({ email: emailOf(number), password: isWrong(number) ? 'not this one' : PASSWORD })
      .then(({ status, body }) => ({ number, status, body: body as { accessToken: string } }));
  const statusOf = (user: { accessToken: string }) =>
    application.http
      .get('/api/v1/me')
      .set(bearer(user))
      .then(({ status }) => status);

  it('answers each as it should, nothing with 500, and the session is over within the stated seconds', async () => {
    const statuses: number[] = [await statusOf(victim)];
    const storm = Promise.all(Array.from({ length: USERS }, (_, number) => login(number)));
    const revoked = await application.http.delete(`/api/v1/users/${victim.id}/sessions`).set(bearer(admin));
    expect(revoked.body).toEqual({ endedSessions: 1 });
    await until(async () => {
      const status = await statusOf(victim);
      statuses.push(status);
      return status === 401;
    }, REVOKED_WITHIN_MS);
    const answers = await storm;
    for (const { number, status } of answers) expect({ number, status }).toEqual({ number, status: isWrong(number) ? 401 : 200 });
    expect(new Set(statuses)).toEqual(new Set([200, 401]));
    const after = await Promise.all(answers.filter(({ status }) => status === 200).map(({ body }) => statusOf(body)));
    expect(after).toEqual(Array.from({ length: USERS - WRONG }, () => 200));
    expect(await statusOf(victim)).toBe(401);
  });
});
