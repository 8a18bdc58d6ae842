import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CliHarness } from './testing/cli-harness.js';
import { ScriptedServer, sendProblem } from './testing/scripted-server.js';

const API = '/api/v1';
const ADA = { id: 'u1', email: 'ada@example.org', platformAdmin: true, disabled: false, createdAt: '2026-01-01T00:00:00Z' };
const DANA = { id: 'u2', email: 'dana@example.org', platformAdmin: false, disabled: true, createdAt: '2026-01-01T00:00:00Z' };
const SESSION = {
  id: 's1',
  createdAt: '2026-01-01T00:00:00Z',
  lastUsedAt: '2026-01-01T00:00:00Z',
  address: '203.0.113.7',
  userAgent: 'hithe-cli/1\u001b[2J',
  methods: ['password', 'totp'],
  current: true,
};
const INVITATION = {
  id: 'i1',
  teamId: 't1',
  email: DANA.email,
  role: 'viewer',
  invitedBy: 'u1',
  createdAt: '',
  expiresAt: '2026-01-08T00:00:00Z',
};
const LINK = 'https://hithe.example.org/invitation#hithe_in_abcdefgh';
const GRANT = { accessToken: 'a1', refreshToken: 'r1', expiresIn: 600, user: ADA };

describe('hithe, accounts', () => {
  let server: ScriptedServer;
  let cli: CliHarness;

  beforeEach(async () => {
    server = await ScriptedServer.start();
    cli = await CliHarness.create();
    server
      .json(`POST ${API}/auth/login`, GRANT)
      .json(`GET ${API}/me`, { ...ADA, teams: [{ id: 't1', slug: 'ada', name: 'Ada', role: 'owner' }] })
      .json(`GET ${API}/users`, { items: [ADA, DANA], nextCursor: null });
    await cli.run(['login', '--server', server.url, '--email', ADA.email, '--password-stdin'], { stdin: 'geheim\n' });
  });
  afterEach(async () => {
    await cli[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const bodyOf = (route: string): unknown => JSON.parse(String(server.calls(route).at(-1)?.body));

  describe('users', () => {
    it('lists them with their state, and as JSON', async () => {
      const { stdout } = await cli.run(['users']);
      expect(stdout).toMatch(/dana@example\.org\s+no\s+disabled/);
      expect(JSON.parse((await cli.run(['users', 'list', '--json'])).stdout)).toEqual([ADA, DANA]);
    });

    it.each([
      ['disable', { disabled: true }],
      ['enable', { disabled: false }],
      ['grant-admin', { platformAdmin: true }],
      ['revoke-admin', { platformAdmin: false }],
    ])('%s changes one', async (command, body) => {
      server.json(`PATCH ${API}/users/u2`, { ...DANA, ...body });
      expect((await cli.run(['users', command, 'Dana@example.org'])).code).toBe(0);
      expect(bodyOf(`PATCH ${API}/users/u2`)).toEqual(body);
    });

    it('suggests the nearest address', async () => {
      const ran = await cli.run(['users', 'disable', 'dna@example.org']);
      expect(ran).toMatchObject({ code: 4, stderr: expect.stringContaining('dana@example.org') as unknown });
    });

    it('deletes only after the address was typed', async () => {
      server.on(`DELETE ${API}/users/u2`, (_request, response) => {
        response.writeHead(204).end();
      });
      expect((await cli.run(['users', 'delete', DANA.email])).code).toBe(2);
      expect((await cli.run(['users', 'delete', DANA.email, '--confirm', ADA.email])).code).toBe(2);
      expect(server.calls(`DELETE ${API}/users/u2`)).toEqual([]);
      expect((await cli.run(['users', 'delete', DANA.email, '--confirm', DANA.email])).code).toBe(0);
      expect(server.calls(`DELETE ${API}/users/u2`)).toHaveLength(1);
    });

    it('shows where one is logged in, and nothing that moves the cursor', async () => {
      server.json(`GET ${API}/users/u2/sessions`, { items: [SESSION], nextCursor: null });
      const { stdout } = await cli.run(['users', 'show', DANA.email]);
      expect(stdout).toContain('203.0.113.7');
      expect(stdout).not.toContain('\u001b[2J');
    });

    it('makes links to join and to reset a password', async () => {
      server
        .json(`POST ${API}/teams/t1/invitations`, { ...INVITATION, link: LINK, mailed: false }, 201)
        .json(`POST ${API}/users/u2/password-reset`, { link: LINK, expiresAt: '2026-01-01T01:00:00Z', mailed: true }, 201);
      expect((await cli.run(['users', 'invite', DANA.email, '--role', 'viewer', '--days', '3'])).stdout).toContain(LINK);
      expect(bodyOf(`POST ${API}/teams/t1/invitations`)).toEqual({ email: DANA.email, role: 'viewer', days: 3 });
      expect((await cli.run(['users', 'reset-password', DANA.email])).stdout).toContain('mailed');
    });
  });

  describe('sessions', () => {
    it('lists mine and ends others', async () => {
      server.json(`GET ${API}/me/sessions`, { items: [SESSION], nextCursor: null }).json(`DELETE ${API}/me/sessions`, { endedSessions: 2 });
      expect((await cli.run(['sessions'])).stdout).toMatch(/\*.*203\.0\.113\.7\s+password\+totp/);
      expect((await cli.run(['sessions', 'revoke-others'])).stdout).toContain('Ended 2 other sessions');
    });

    it('ends one', async () => {
      server.on(`DELETE ${API}/me/sessions/s9`, (_request, response) => {
        sendProblem(response, 404, 'SESSION_NOT_FOUND', 'There is no session "s9" that you can see.');
      });
      expect((await cli.run(['sessions', 'revoke', 's9'])).code).toBe(4);
    });
  });

  describe('password', () => {
    it('takes both from the standard input, and names the tokens that stay', async () => {
      server.json(`POST ${API}/me/password`, {
        endedSessions: 1,
        remainingTokens: [{ id: 'k1', name: 'nightly' }],
        remainingPasskeys: ['laptop'],
        remainingIdentities: [],
      });
      const ran = await cli.run(['password', 'change', '--stdin'], { stdin: 'the old one\nthe new one\n' });
      expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('nightly') as unknown });
      expect(bodyOf(`POST ${API}/me/password`)).toEqual({ currentPassword: 'the old one', newPassword: 'the new one' });
      expect((await cli.run(['password', 'change'])).code).toBe(2);
    });

    it('is reset by a link, whole or its token alone', async () => {
      server.json(`POST ${API}/auth/password-reset/confirm`, {
        endedSessions: 0,
        remainingTokens: [],
        remainingPasskeys: [],
        remainingIdentities: [],
      });
      for (const link of ['https://hithe.example.org/password-reset#hithe_pr_abcdefgh', 'hithe_pr_abcdefgh']) {
        expect((await cli.run(['password', 'reset', '--stdin'], { stdin: `${link}\nthe new one\n` })).code).toBe(0);
        expect(bodyOf(`POST ${API}/auth/password-reset/confirm`)).toEqual({ token: 'hithe_pr_abcdefgh', password: 'the new one' });
      }
      expect((await cli.run(['password', 'reset', '--stdin'], { stdin: 'hello\nthe new one\n' })).code).toBe(2);
    });
  });

  describe('invitations', () => {
    it('lists and revokes', async () => {
      server
        .json(`GET ${API}/teams/t1/invitations`, { items: [INVITATION], nextCursor: null })
        .on(`DELETE ${API}/invitations/i1`, (_request, response) => {
          response.writeHead(204).end();
        });
      expect((await cli.run(['invitations'])).stdout).toMatch(/dana@example\.org\s+viewer\s+2026-01-08\s+i1/);
      expect((await cli.run(['invitations', 'revoke', 'i1'])).code).toBe(0);
    });

    it('accepts as myself, or with a new account that is logged in then', async () => {
      server.json(`POST ${API}/me/invitations/accept`, INVITATION).json(`POST ${API}/auth/invitations/accept`, GRANT, 201);
      expect((await cli.run(['invitations', 'accept', '--stdin'], { stdin: `${LINK}\n` })).stdout).toContain('viewer');
      await cli.run(['logout']);
      const ran = await cli.run(['invitations', 'accept', '--new-account', '--stdin', '--server', server.url], {
        stdin: `${LINK}\nthe new one\n`,
      });
      expect(ran.code).toBe(0);
      expect(bodyOf(`POST ${API}/auth/invitations/accept`)).toEqual({ token: 'hithe_in_abcdefgh', password: 'the new one' });
      expect((await cli.run(['whoami'])).stdout).toContain(ADA.email);
    });
  });

  describe('signing-keys', () => {
    it('rotates, and asks before it ends all tokens', async () => {
      server.json(`POST ${API}/auth/signing-keys`, { id: 'k2', createdAt: '', current: true, verifiesUntil: null }, 201);
      expect((await cli.run(['signing-keys', 'rotate'])).stdout).toContain('k2');
      expect((await cli.run(['signing-keys', 'rotate', '--end-previous'])).code).toBe(2);
      expect((await cli.run(['signing-keys', 'rotate', '--end-previous', '--confirm', 'end-previous'])).code).toBe(0);
      expect(bodyOf(`POST ${API}/auth/signing-keys`)).toEqual({ endPrevious: true });
    });
  });
});
