import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generate } from 'otplib';
import pg from 'pg';
import { TestApplication, bearer } from '../support/application.js';
import { superuserUrl } from '../support/database.js';
import { MailServer, tokenIn } from '../support/mail-server.js';

const PASSWORD = 'tulips never dance alone';
const BETTER = 'a lantern under the sea';

/** Searches every column of every table of every schema, the queue's and the audit log's too. */
async function tablesWith(url: string, secrets: readonly string[]): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%'`,
    );
    const found: string[] = [];
    for (const { name } of tables.rows) {
      const rows = await client.query<{ text: string }>(`SELECT t::text AS text FROM ${name} t`);
      const hit = secrets.find((secret) => rows.rows.some(({ text }) => spellings(secret).some((spelling) => text.includes(spelling))));
      if (hit !== undefined) found.push(`${name}: ${hit.slice(0, 12)}…`);
    }
    return found;
  } finally {
    await client.end();
  }
}

/** As it is, and as the text of a bytea or in base64 would show it. */
function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const random = secret.replace(/^hithe_[a-z]+_/, '');
  return [secret, random, bytes.toString('hex'), bytes.toString('base64').slice(0, -4), Buffer.from(random, 'base64url').toString('hex')];
}

describe('R25: no token is in the database in clear', () => {
  let mails: MailServer;
  let application: TestApplication;
  const secrets: string[] = [];

  beforeAll(async () => {
    mails = await MailServer.start();
    application = await TestApplication.start({ signUp: 'open', smtpUrl: mails.url });
  });

  afterAll(async () => {
    await application.stop();
    await mails.stop();
  });

  const post = async (path: string, body: object, user?: { accessToken: string }) => {
    const call = application.http.post(`/api/v1${path}`).send(body);
    const answer = await (user ? call.set(bearer(user)) : call);
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    return answer.body as Record<string, string>;
  };
  const keep = (...values: (string | undefined)[]) => {
    for (const value of values) {
      if (value === undefined || value.length < 12) throw new Error('Not a secret');
      secrets.push(value);
    }
  };

  it('after one of each kind was made and used', async () => {
    const admin = await application.user('platform@example.org', { platformAdmin: true });
    keep(admin.accessToken, admin.refreshToken, admin.password);
    const refreshed = await post('/auth/refresh', { refreshToken: admin.refreshToken });
    keep(refreshed['accessToken'], refreshed['refreshToken']);

    await post('/auth/sign-up', { email: 'ada@example.org', password: PASSWORD });
    const signUp = tokenIn(await mails.to('ada@example.org'));
    const ada = await post('/auth/sign-up/confirm', { token: signUp, password: PASSWORD });
    keep(signUp, PASSWORD, ada['accessToken'], ada['refreshToken']);

    await post('/auth/password-reset/request', { email: 'ada@example.org' });
    const mailed = tokenIn(await mails.to('ada@example.org', 2));
    await post('/auth/password-reset/confirm', { token: mailed, password: BETTER });
    const { link = '' } = await post(`/users/${admin.id}/password-reset`, {}, admin);
    keep(mailed, BETTER, link.split('#')[1]);

    const invitation = await post('/invitations', { email: 'grace@example.org' }, admin);
    const invited = (invitation['link'] ?? '').split('#')[1] ?? '';
    await post('/auth/invitations/accept', { token: invited, password: PASSWORD });
    const open = await post('/invitations', { email: 'open@example.org' }, admin);
    keep(invited, (open['link'] ?? '').split('#')[1]);
    await mails.to('open@example.org');

    const api = await post('/me/tokens', { name: 'robot', scopes: ['read'] }, admin);
    keep(api['token']);
    await application.http
      .get('/api/v1/teams')
      .set(bearer({ accessToken: api['token'] ?? '' }))
      .expect(200);

    await application.http.post('/api/v1/me/reauthenticate').set(bearer(admin)).send({ password: admin.password }).expect(204);
    const totp = await post('/me/totp', {}, admin);
    const code = await generate({ secret: totp['secret'] ?? '' });
    const confirmed = await application.http.post('/api/v1/me/totp/confirm').set(bearer(admin)).send({ code }).expect(200);
    keep(totp['secret'], ...(confirmed.body as { recoveryCodes: string[] }).recoveryCodes);
    const pending = await post('/auth/login', { email: admin.email, password: admin.password });
    keep(pending['challenge']);

    expect(secrets.length).toBeGreaterThan(25);
    expect(await tablesWith(superuserUrl(new URL(application.config.databaseUrl).pathname.slice(1)), secrets)).toEqual([]);
  });

  it('and the search would find one', async () => {
    const url = superuserUrl(new URL(application.config.databaseUrl).pathname.slice(1));
    const found = await tablesWith(url, ['ada@example.org']);
    expect(found).toEqual(expect.arrayContaining([expect.stringContaining('public.users'), expect.stringContaining('audit_events')]));
  });
});
