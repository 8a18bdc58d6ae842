import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { DataSource } from 'typeorm';
import { asSystem } from '../../src/common/request-context.js';
import { TestApplication, type TestUser, bearer } from '../support/application.js';
import { TestBrowser, launchChromium } from '../support/browser.js';

interface Options {
  publicKey: Record<string, unknown>;
}
interface Registered {
  id: string;
  name: string;
  recoveryCodes?: string[];
}
interface Grant {
  accessToken: string;
  refreshToken: string;
  user: { email: string };
}

describe('passkeys, in a real browser with a virtual security key', () => {
  let application: TestApplication;
  let chromium: Browser;
  let people = 0;

  beforeAll(async () => {
    [application, chromium] = await Promise.all([TestApplication.start(), launchChromium()]);
    const { port } = new URL(await application.app.getUrl());
    application.config.publicUrl = `http://localhost:${port}`;
  });

  afterAll(async () => {
    await chromium.close();
    await application.stop();
  });

  // Any page of our origin will do, and this is the smallest.
  const openBrowser = () => TestBrowser.open(chromium, `${application.config.publicUrl}/api/v1/health/live`);
  const newcomer = () => application.user(`person${(people += 1)}@example.org`);
  const post = (path: string, body: object = {}, user?: { accessToken: string }) => {
    const call = application.http.post(`/api/v1${path}`).send(body);
    return user ? call.set(bearer(user)) : call;
  };
  const me = (user: { accessToken: string }) => application.http.get('/api/v1/me').set(bearer(user));
  const query = (sql: string, parameters: unknown[]) =>
    asSystem('test', () => application.app.get(DataSource).query<unknown[]>(sql, parameters));

  const register = async (browser: TestBrowser, user: TestUser, name = 'Laptop'): Promise<Registered> => {
    await post('/me/reauthenticate', { password: user.password }, user).expect(204);
    const { publicKey } = (await post('/me/passkeys/options', {}, user).expect(200)).body as Options;
    return (await post('/me/passkeys', { name, passkey: await browser.createPasskey(publicKey) }, user).expect(201)).body as Registered;
  };
  const sign = async (browser: TestBrowser, changed: object = {}): Promise<object> => {
    const { publicKey } = (await post('/auth/passkeys/options').expect(200)).body as Options;
    return browser.usePasskey({ ...publicKey, ...changed });
  };
  const verify = (passkey: object) => post('/auth/passkeys/verify', { passkey });

  it('register, log out, log in with the passkey alone', async () => {
    await using browser = await openBrowser();
    const user = await newcomer();
    const registered = await register(browser, user);
    expect(registered).toMatchObject({ name: 'Laptop', backedUp: false, lastUsedAt: null });
    expect(registered.recoveryCodes).toHaveLength(10);
    await post('/auth/logout', { refreshToken: user.refreshToken }).expect(204);
    await me(user).expect(401);
    const grant = (await verify(await sign(browser)).expect(200)).body as Grant;
    expect(grant.user.email).toBe(user.email);
    await me(grant).expect(200);
    const list = (await application.http.get('/api/v1/me/passkeys').set(bearer(grant)).expect(200)).body as { items: object[] };
    expect(list.items).toEqual([expect.objectContaining({ id: registered.id, lastUsedAt: expect.any(String) as unknown })]);
    const actions = (await query('SELECT action, details FROM audit_events WHERE actor_id = $1', [user.id])) as { action: string }[];
    expect(actions.map(({ action }) => action)).toEqual(expect.arrayContaining(['passkey.registered', 'user.logged-in']));
    expect(JSON.stringify(actions)).toContain('"methods":["passkey"]');
  });

  it('is a second factor after the password', async () => {
    await using browser = await openBrowser();
    const user = await newcomer();
    await register(browser, user);
    const login = await post('/auth/login', { email: user.email, password: user.password }).expect(202);
    const { challenge, methods } = login.body as { challenge: string; methods: string[] };
    expect(methods).toEqual(['passkey', 'recovery-code']);
    const { publicKey } = (await post('/auth/login/second-factor/passkey-options', { challenge }).expect(200)).body as Options;
    expect(publicKey['allowCredentials']).toHaveLength(1);
    const passkey = await browser.usePasskey(publicKey);
    // Made for this log-in: it opens no other door.
    await verify(passkey).expect(401);
    const grant = (await post('/auth/login/second-factor', { challenge, passkey }).expect(200)).body as Grant;
    await me(grant).expect(200);
  });

  it('refuses a replayed answer', async () => {
    await using browser = await openBrowser();
    await register(browser, await newcomer());
    const passkey = await sign(browser);
    await verify(passkey).expect(200);
    expect((await verify(passkey).expect(401)).body).toMatchObject({ code: 'PASSKEY_REFUSED' });
  });

  it('lets one of two equal answers in at once', async () => {
    await using browser = await openBrowser();
    await register(browser, await newcomer());
    const passkey = await sign(browser);
    const answers = await Promise.all([verify(passkey), verify(passkey), verify(passkey)]);
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 401, 401]);
  });

  it('refuses a deleted passkey, and deletes with a fresh proof only', async () => {
    await using browser = await openBrowser();
    const user = await newcomer();
    const { id } = await register(browser, user);
    await query('UPDATE sessions SET proved_at = NULL WHERE user_id = $1', [user.id]);
    const remove = (who: TestUser) => application.http.delete(`/api/v1/me/passkeys/${id}`).set(bearer(who));
    expect((await remove(user).expect(403)).body).toMatchObject({ code: 'REAUTHENTICATION_REQUIRED' });
    const { publicKey } = (await post('/me/reauthenticate/passkey-options', {}, user).expect(200)).body as Options;
    await post('/me/reauthenticate', { passkey: await browser.usePasskey(publicKey) }, user).expect(204);
    const other = await newcomer();
    await post('/me/reauthenticate', { password: other.password }, other).expect(204);
    await remove(other).expect(404);
    const passkey = await sign(browser);
    await remove(user).expect(204);
    await verify(passkey).expect(401);
    await verify(await sign(browser)).expect(401);
    await post('/auth/login', { email: user.email, password: user.password }).expect(200);
  });

  it('refuses a device that did not verify its user', async () => {
    await using browser = await openBrowser();
    await register(browser, await newcomer());
    await browser.verifyUser(false);
    await verify(await sign(browser, { userVerification: 'discouraged' })).expect(401);
  });

  it('refuses a counter that went back, as a copied key has', async () => {
    await using browser = await openBrowser();
    const user = await newcomer();
    await register(browser, user);
    await query('UPDATE passkeys SET counter = 1000000 WHERE user_id = $1', [user.id]);
    await verify(await sign(browser)).expect(401);
  });

  it('refuses answers that were signed on another site, expired ones and invented ones', async () => {
    await using browser = await openBrowser();
    await register(browser, await newcomer());
    const { publicUrl } = application.config;
    const elsewhere = await sign(browser);
    application.config.publicUrl = 'http://localhost:1';
    await verify(elsewhere).expect(401);
    application.config.publicUrl = publicUrl;
    const late = await sign(browser);
    await query('UPDATE webauthn_challenges SET expires_at = now()', []);
    await verify(late).expect(401);
    const { publicKey } = (await post('/auth/passkeys/options').expect(200)).body as Options;
    await verify(await browser.usePasskey({ ...publicKey, challenge: 'aW52ZW50ZWQgYnkgdGhlIGNsaWVudA' })).expect(401);
    await verify({
      id: 'x',
      rawId: 'x',
      type: 'public-key',
      response: { clientDataJSON: 'eA', authenticatorData: 'eA', signature: 'eA' },
    }).expect(401);
    expect((await verify({ id: 'x' }).expect(400)).body).toMatchObject({ code: 'REQUEST_INVALID' });
  });

  it('is renamed by its owner alone, and registered with a fresh proof only', async () => {
    await using browser = await openBrowser();
    const [user, other] = [await newcomer(), await newcomer()];
    expect((await post('/me/passkeys/options', {}, user).expect(403)).body).toMatchObject({ code: 'REAUTHENTICATION_REQUIRED' });
    const { id } = await register(browser, user);
    const rename = (who: TestUser) => application.http.patch(`/api/v1/me/passkeys/${id}`).set(bearer(who)).send({ name: 'Old laptop' });
    await rename(other).expect(404);
    expect((await rename(user).expect(200)).body).toMatchObject({ id, name: 'Old laptop' });
    // One's own options are no use to anybody else.
    await post('/me/reauthenticate', { password: other.password }, other).expect(204);
    const { publicKey } = (await post('/me/passkeys/options', {}, other).expect(200)).body as Options;
    const passkey = await browser.createPasskey(publicKey);
    expect((await post('/me/passkeys', { name: 'Stolen', passkey }, user).expect(400)).body).toMatchObject({ code: 'PASSKEY_REFUSED' });
  });
});
