import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CliHarness } from './testing/cli-harness.js';
import { ScriptedServer, sendJson, sendProblem } from './testing/scripted-server.js';

const API = '/api/v1';
const ADA = { id: 'u1', email: 'ada@example.org', platformAdmin: true, disabled: false, createdAt: '2026-01-01T00:00:00Z' };
const DANA = { id: 'u2', email: 'dana@example.org', platformAdmin: false, disabled: false, createdAt: '2026-01-01T00:00:00Z' };
const LAPTOP = { id: 'p1', name: 'Laptop', createdAt: '2026-01-01T00:00:00Z', lastUsedAt: null, backedUp: true };
const KEY = { id: 'p2', name: 'Key\u001b[2J', createdAt: '2026-01-01T00:00:00Z', lastUsedAt: '2026-01-02T00:00:00Z', backedUp: false };

describe('hithe, second factors', () => {
  let server: ScriptedServer;
  let cli: CliHarness;

  beforeEach(async () => {
    server = await ScriptedServer.start();
    cli = await CliHarness.create();
    server
      .json(`POST ${API}/auth/login`, { accessToken: 'a1', refreshToken: 'r1', expiresIn: 600, user: ADA })
      .json(`GET ${API}/me`, { ...ADA, teams: [] })
      .json(`GET ${API}/users`, { items: [ADA, DANA], nextCursor: null })
      .json(`GET ${API}/me/passkeys`, { items: [LAPTOP, KEY], nextCursor: null });
    await cli.run(['login', '--server', server.url, '--email', ADA.email, '--password-stdin'], { stdin: 'geheim\n' });
  });
  afterEach(async () => {
    await cli[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const bodyOf = (route: string): unknown => JSON.parse(String(server.calls(route).at(-1)?.body));
  const empty = (route: string): void => {
    server.on(route, (_request, response) => {
      response.writeHead(204).end();
    });
  };

  describe('passkeys', () => {
    it('lists them, as JSON too, and shows nothing that moves the cursor', async () => {
      const { code, stdout } = await cli.run(['passkeys']);
      expect(code).toBe(0);
      expect(stdout).toMatch(/Laptop\s+.*never\s+yes\s+p1/);
      expect(stdout).not.toContain('\u001b[2J');
      expect(JSON.parse((await cli.run(['passkeys', 'list', '--json'])).stdout)).toEqual([LAPTOP, KEY]);
    });

    it('reads all pages', async () => {
      server.on(`GET ${API}/me/passkeys`, ({ query }, response) => {
        const page = query.get('cursor') === 'c1' ? { items: [KEY], nextCursor: null } : { items: [LAPTOP], nextCursor: 'c1' };
        sendJson(response, 200, page);
      });
      expect(JSON.parse((await cli.run(['passkeys', '--json'])).stdout)).toEqual([LAPTOP, KEY]);
    });

    it('says where one comes from while there is none', async () => {
      server.json(`GET ${API}/me/passkeys`, { items: [], nextCursor: null });
      expect(await cli.run(['passkeys'])).toMatchObject({ code: 0, stderr: expect.stringContaining('registered in a browser') as unknown });
    });

    it('renames one, by its name or its id', async () => {
      server.json(`PATCH ${API}/me/passkeys/p1`, { ...LAPTOP, name: 'Old laptop' });
      for (const wanted of ['Laptop', 'p1']) {
        expect(await cli.run(['passkeys', 'rename', wanted, 'Old laptop'])).toMatchObject({
          code: 0,
          stdout: expect.stringContaining('Old laptop') as unknown,
        });
      }
      expect(server.calls(`PATCH ${API}/me/passkeys/p1`)).toHaveLength(2);
      expect(bodyOf(`PATCH ${API}/me/passkeys/p1`)).toEqual({ name: 'Old laptop' });
    });

    it('refuses a name that none has, or several', async () => {
      expect(await cli.run(['passkeys', 'rename', 'Phone', 'x'])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('You have no passkey "Phone".') as unknown,
      });
      server.json(`GET ${API}/me/passkeys`, { items: [LAPTOP, { ...KEY, name: 'Laptop' }], nextCursor: null });
      const { code, stderr } = await cli.run(['passkeys', 'delete', 'Laptop', '--confirm', 'Laptop']);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('Several of your passkeys') as unknown });
    });

    it('deletes only after the name was typed', async () => {
      empty(`DELETE ${API}/me/passkeys/p1`);
      expect((await cli.run(['passkeys', 'delete', 'Laptop'])).code).toBe(2);
      expect((await cli.run(['passkeys', 'delete', 'Laptop', '--confirm', 'Key'])).code).toBe(2);
      expect(server.calls(`DELETE ${API}/me/passkeys/p1`)).toEqual([]);
      expect((await cli.run(['passkeys', 'delete', 'Laptop', '--confirm', 'Laptop'])).code).toBe(0);
      expect(server.calls(`DELETE ${API}/me/passkeys/p1`)).toHaveLength(1);
    });

    it.each([
      ['a code of the app', '123 456\n', { totp: '123456' }],
      ['a recovery code', 'k3vp-x7md-92hq-acwt\n', { recoveryCode: 'k3vp-x7md-92hq-acwt' }],
      ['the password', 'a rather long passphrase\n', { password: 'a rather long passphrase' }],
    ])('sends %s when the server wants a fresh proof, and deletes then', async (_what, stdin, body) => {
      let proved = false;
      server
        .on(`DELETE ${API}/me/passkeys/p1`, (_request, response) => {
          if (proved) response.writeHead(204).end();
          else sendProblem(response, 403, 'REAUTHENTICATION_REQUIRED', 'Prove again who you are.');
        })
        .on(`POST ${API}/me/reauthenticate`, (_request, response) => {
          proved = true;
          response.writeHead(204).end();
        });
      const argv = ['passkeys', 'delete', 'Laptop', '--confirm', 'Laptop'];
      expect(await cli.run(argv)).toMatchObject({ code: 2, stderr: expect.stringContaining('--proof-stdin') as unknown });
      expect((await cli.run([...argv, '--proof-stdin'], { stdin })).code).toBe(0);
      expect(bodyOf(`POST ${API}/me/reauthenticate`)).toEqual(body);
    });
  });

  describe('2fa reset', () => {
    const route = `DELETE ${API}/users/u2/second-factors`;

    it('takes the factors of a user away, only after the address was typed', async () => {
      empty(route);
      expect((await cli.run(['2fa', 'reset', DANA.email])).code).toBe(2);
      expect((await cli.run(['2fa', 'reset', DANA.email, '--confirm', ADA.email])).code).toBe(2);
      expect(server.calls(route)).toEqual([]);
      const { code, stdout } = await cli.run(['2fa', 'reset', 'Dana@example.org', '--confirm', DANA.email, '--json']);
      expect({ code, json: JSON.parse(stdout) as unknown }).toEqual({ code: 0, json: { email: DANA.email, reset: true } });
      expect(server.calls(route)).toHaveLength(1);
    });

    it('says that there is no such user', async () => {
      const { code, stderr } = await cli.run(['2fa', 'reset', 'eve@example.org', '--confirm', 'eve@example.org']);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('There is no user eve@example.org') as unknown });
    });

    it('hands on the refusal of the server', async () => {
      server.on(route, (_request, response) => {
        sendProblem(response, 403, 'FORBIDDEN', 'You may not do this.');
      });
      expect((await cli.run(['2fa', 'reset', DANA.email, '--confirm', DANA.email])).code).toBe(6);
    });
  });
});
