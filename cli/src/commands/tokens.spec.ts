import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CliHarness } from '../testing/cli-harness.js';
import { ScriptedServer, sendJson, sendProblem } from '../testing/scripted-server.js';
import { deliveryScript } from './hooks.js';

const API = '/api/v1';
const TOKEN = {
  id: 'k1',
  name: 'ci',
  userId: 'u1',
  teamId: null,
  scopes: ['read', 'deploy:p1'],
  expiresAt: '2099-01-01T00:00:00.000Z',
  expired: false,
  lastUsedAt: null,
  lastUsedAddress: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  createdBy: 'u1',
};
const ACCOUNT = {
  id: 's1',
  teamId: 't1',
  name: 'deployer',
  email: 'deployer@shop.service',
  role: 'developer',
  roleId: null,
  roleName: 'developer',
  createdAt: '2026-01-01T00:00:00.000Z',
};
const HOOK = {
  id: 'h1',
  projectId: 'p1',
  name: 'github',
  kind: 'deploy',
  url: 'http://hithe/api/v1/hooks/h1',
  enabled: true,
  createdBy: 'u1',
  createdAt: '2026-01-01T00:00:00.000Z',
  secretSince: '2026-01-01T00:00:00.000Z',
};
const page = (...items: object[]) => ({ items, nextCursor: null });

describe('hithe with API tokens', () => {
  let server: ScriptedServer;
  let cli: CliHarness;
  const bodyOf = (route: string): unknown => JSON.parse(server.calls(route)[0]?.body.toString() ?? 'null') as unknown;

  beforeEach(async () => {
    server = await ScriptedServer.start();
    cli = await CliHarness.create({ HITHE_SERVER: server.url, HITHE_TOKEN: 'hithe_pat_x' });
    server
      .json(`GET ${API}/me`, {
        id: 'u1',
        email: 'ada@example.org',
        platformAdmin: false,
        teams: [{ id: 't1', slug: 'shop', name: 'Shop', role: 'owner' }],
        token: TOKEN,
      })
      .json(`GET ${API}/projects`, page({ id: 'p1', name: 'guestbook', teamId: 't1' }))
      .json(`GET ${API}/me/tokens`, page(TOKEN))
      .json(`POST ${API}/me/tokens`, { ...TOKEN, token: 'hithe_pat_secret' }, 201)
      .json(`DELETE ${API}/me/tokens/k1`, {}, 200)
      .json(`GET ${API}/teams/t1/service-accounts`, page(ACCOUNT))
      .json(`POST ${API}/teams/t1/service-accounts`, ACCOUNT, 201)
      .json(`POST ${API}/teams/t1/service-accounts/s1/tokens`, { ...TOKEN, token: 'hithe_sat_secret' }, 201)
      .json(`DELETE ${API}/teams/t1/service-accounts/s1`, {}, 200)
      .json(`GET ${API}/projects/p1/hooks`, page(HOOK))
      .json(`POST ${API}/projects/p1/hooks`, { ...HOOK, secret: 'whsec_c2VjcmV0' }, 201);
  });

  afterEach(async () => {
    await server[Symbol.asyncDispose]();
    await cli[Symbol.asyncDispose]();
  });

  it('HITHE_TOKEN is the credential of every command, and whoami names it', async () => {
    const ran = await cli.run(['whoami']);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toContain('API token "ci": read, deploy:p1; until 2099-01-01');
    expect(server.calls(`GET ${API}/me`)[0]?.headers.authorization).toBe('Bearer hithe_pat_x');
    expect(JSON.parse((await cli.run(['whoami', '--json'])).stdout)).toMatchObject({ token: { name: 'ci', scopes: TOKEN.scopes } });
  });

  it('tokens lists; create prints the token alone and narrows scopes to a project', async () => {
    expect((await cli.run(['tokens'])).stdout).toMatch(/ci +read deploy:p1 +2099-01-01 +never +k1/);
    const made = await cli.run([
      'tokens',
      'create',
      '--name',
      'ci',
      '--scope',
      'read',
      '--scope',
      'deploy,secret:write:a/b',
      '--expires',
      '2w',
      '--project',
      'guestbook',
    ]);
    expect(made.stdout).toBe('hithe_pat_secret\n');
    expect(made.stderr).toContain('Shown only now');
    expect(bodyOf(`POST ${API}/me/tokens`)).toEqual({
      name: 'ci',
      scopes: ['read:shop/guestbook', 'deploy:shop/guestbook', 'secret:write:a/b'],
      expiresInDays: 14,
    });
    for (const expires of ['0', '366d', '1y', '-1'])
      expect(await cli.run(['tokens', 'create', '--name', 'x', '--scope', 'read', `--expires=${expires}`])).toMatchObject({ code: 2 });
  });

  it('tokens revoke finds a token by its name', async () => {
    expect((await cli.run(['tokens', 'revoke', 'ci'])).stdout).toContain('The token ci is revoked.');
    expect(await cli.run(['tokens', 'revoke', 'other'])).toMatchObject({ code: 4 });
    server.json(`GET ${API}/me/tokens`, page(TOKEN, { ...TOKEN, id: 'k2' }));
    expect(await cli.run(['tokens', 'revoke', 'ci'])).toMatchObject({ code: 2 });
  });

  it('service-accounts are made, given tokens, and deleted after a confirmation', async () => {
    expect((await cli.run(['service-accounts'])).stdout).toContain('deployer@shop.service');
    expect((await cli.run(['service-accounts', 'create', 'deployer', '--role', 'developer'])).code).toBe(0);
    expect(bodyOf(`POST ${API}/teams/t1/service-accounts`)).toEqual({ name: 'deployer', role: 'developer' });
    const made = await cli.run(['service-accounts', 'tokens', 'create', 'deployer', '--name', 'ci', '--scope', 'read']);
    expect(made.stdout).toBe('hithe_sat_secret\n');
    expect(await cli.run(['service-accounts', 'delete', 'deployer'])).toMatchObject({ code: 2 });
    expect(await cli.run(['service-accounts', 'delete', 'deployer', '--confirm', 'deployer'])).toMatchObject({ code: 0 });
    expect((await cli.run(['service-accounts', 'delete', 'deploer', '--confirm', 'deploer'])).stderr).toContain('Did you mean "deployer"?');
  });

  it.each([
    ['tokens create', ['tokens', 'create'], `POST ${API}/me/tokens`],
    [
      'service-accounts tokens create',
      ['service-accounts', 'tokens', 'create', 'deployer'],
      `POST ${API}/teams/t1/service-accounts/s1/tokens`,
    ],
  ])('%s hands on a fresh proof when the server wants one', async (_name, words, route) => {
    let proved = false;
    server
      .on(route, (_request, response) => {
        if (proved) sendJson(response, 201, { ...TOKEN, token: 'hithe_pat_secret' });
        else sendProblem(response, 403, 'REAUTHENTICATION_REQUIRED', 'Prove again who you are before you do this.');
      })
      .on(`POST ${API}/me/reauthenticate`, (_request, response) => {
        proved = true;
        response.writeHead(204).end();
      });
    const argv = [...words, '--name', 'ci', '--scope', 'read'];
    expect(await cli.run(argv)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--proof-stdin') as unknown });
    expect(await cli.run([...argv, '--proof-stdin'], { stdin: 'geheim\n' })).toMatchObject({ code: 0, stdout: 'hithe_pat_secret\n' });
    expect(bodyOf(`POST ${API}/me/reauthenticate`)).toEqual({ password: 'geheim' });
  });

  it('hooks create shows the secret and how to sign with it, without the secret in the script', async () => {
    const made = await cli.run(['hooks', 'create', 'guestbook', 'github']);
    expect(made.stdout).toContain('whsec_c2VjcmV0');
    expect(made.stdout).toContain(`curl -fsS ${HOOK.url}`);
    expect(deliveryScript(HOOK.url)).not.toContain('whsec_c2');
    expect(await cli.run(['hooks', 'create', 'guestbook', 'x', '--kind', 'delete'])).toMatchObject({ code: 2 });
    expect((await cli.run(['hooks', 'list', 'guestbook'])).stdout).toContain('github');
    expect(await cli.run(['hooks', 'deliveries', 'guestbook', 'gihub'])).toMatchObject({ code: 4 });
  });
});
