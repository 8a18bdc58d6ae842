import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bearer, TestApplication, type TestUser } from '../support/application.js';

describe('R38: control characters', () => {
  let application: TestApplication;
  let user: TestUser;
  const EVIL = ['line\r\nfeed', '\u001b[2Jclear', '\u009b31mred', 'turned \u202eround'];

  beforeAll(async () => {
    application = await TestApplication.start();
    user = await application.user('user@example.org');
  });
  afterAll(() => application.stop());

  it.each([
    ['teams', (name: string) => application.http.post('/api/v1/teams').set(bearer(user)).send({ name })],
    [
      'projects',
      (name: string) =>
        application.http
          .put(`/api/v1/teams/${user.teamId}/projects/${encodeURIComponent(name)}`)
          .set(bearer(user))
          .send({ spec: { name, components: { db: { port: 'postgres' } } } }),
    ],
    [
      'components',
      (name: string) =>
        application.http
          .put(`/api/v1/teams/${user.teamId}/projects/shop`)
          .set(bearer(user))
          .send({ spec: { name: 'shop', components: { [name]: { port: 'postgres' } } } }),
    ],
  ])('are refused in names of %s, and nothing is made', async (_what, create) => {
    for (const name of EVIL) {
      const answer = await create(name).expect(400);
      expect(answer.body).toMatchObject({ code: expect.stringMatching(/_INVALID$/) });
    }
  });

  it('cannot come in by a header: a request id of the client is used only when it is harmless', async () => {
    const answer = await application.http.get('/api/v1/health').set('X-Request-Id', 'evil id; {"forged":1}');
    expect(answer.headers['x-request-id']).toMatch(/^[\w.:-]+$/);
  });

  it('NUL is refused in addresses, which no text of the database can hold', async () => {
    for (const path of ['/api/v1/projects?name=%00', '/api/v1/ports/a%00b'])
      expect((await application.http.get(path).set(bearer(user)).expect(400)).body).toMatchObject({ code: 'NUL_IN_ADDRESS' });
  });

  it('a body nested deeper than anything needs is refused before anybody looks into it', async () => {
    const deep = `${'{"a":'.repeat(40_000)}1${'}'.repeat(40_000)}`;
    const answer = await application.http.post('/api/v1/auth/login').set('Content-Type', 'application/json').send(deep).expect(400);
    expect(answer.body).toMatchObject({ code: 'BODY_TOO_DEEP' });
  });

  it('are escaped in every answer, which is JSON', async () => {
    const answer = await application.http.get(`/api/v1/projects?name=${encodeURIComponent('\u001b[2J')}`).set(bearer(user));
    expect(answer.text).not.toContain('\u001b');
    const missing = await application.http.get(`/api/v1/%1b%5b2J%0d%0a`).set(bearer(user)).expect(404);
    for (const character of ['\u001b', '\r']) expect(missing.text).not.toContain(character);
    expect(Object.values(missing.headers).join()).not.toContain('\u001b');
  });
});
