import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { allows } from './commands/permissions.js';
import { CliHarness } from './testing/cli-harness.js';
import { ScriptedServer, sendJson } from './testing/scripted-server.js';

const API = '/api/v1';
const TEAM = { id: 't1', slug: 'shop', name: 'Shop', role: 'owner', number: 3, personal: false, createdAt: '2026-01-01T00:00:00Z' };
const PROJECT = { id: 'p1', teamId: 't1', name: 'guestbook', protected: true };
const ROLE = {
  id: 'r1',
  teamId: 't1',
  name: 'releaser',
  description: 'Ships.',
  rules: [{ action: ['deploy'], subject: 'Project', conditions: { protected: false } }],
};
const page = (...items: object[]) => ({ items, nextCursor: null });

describe('hithe members, roles, grants, permissions, break-glass', () => {
  let server: ScriptedServer;
  let cli: CliHarness;

  const bodyOf = (route: string): unknown => JSON.parse(server.calls(route)[0]?.body.toString() ?? 'null');

  beforeEach(async () => {
    server = await ScriptedServer.start();
    cli = await CliHarness.create({ HITHE_SERVER: server.url, HITHE_TOKEN: 'token' });
    server
      .json(`GET ${API}/me`, { id: 'u1', email: 'ada@example.org', platformAdmin: false, teams: [TEAM] })
      .json(`GET ${API}/teams`, page(TEAM))
      .json(`GET ${API}/teams/t1`, TEAM)
      .json(`GET ${API}/teams/t1/roles`, page(ROLE))
      .json(`GET ${API}/projects`, page(PROJECT));
  });

  afterEach(async () => {
    await cli[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  it.each([
    ['members add', 'developer', { role: 'developer' }],
    ['members set', 'auditor', { role: 'auditor' }],
    ['teams add', 'releaser', { roleId: 'r1' }],
  ])('%s gives the role %s', async (command, role, sent) => {
    server.json(`PUT ${API}/teams/t1/members`, { email: 'dana@example.org', role: 'custom', roleName: role });
    const ran = await cli.run([...command.split(' '), 'dana@example.org', '--role', role]);
    expect(ran).toMatchObject({ code: 0, stdout: `dana@example.org is now ${role} of shop.\n` });
    expect(bodyOf(`PUT ${API}/teams/t1/members`)).toEqual({ email: 'dana@example.org', ...sent });
  });

  it('suggests a role', async () => {
    const ran = await cli.run(['members', 'add', 'dana@example.org', '--role', 'releasr']);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('Did you mean "releaser"?');
  });

  it('teams delete asks for the slug', async () => {
    server.on(`DELETE ${API}/teams/t1`, (_request, response) => {
      response.writeHead(204).end();
    });
    expect((await cli.run(['teams', 'delete', 'shop'])).stderr).toContain('hithe teams delete shop --confirm shop');
    expect((await cli.run(['teams', 'delete', 'shop', '--confirm', 'other'])).code).toBe(2);
    expect(server.calls(`DELETE ${API}/teams/t1`)).toHaveLength(0);
    expect((await cli.run(['teams', 'delete', 'shop', '--confirm', 'shop'])).code).toBe(0);
    expect(server.calls(`DELETE ${API}/teams/t1`)[0]?.query.get('confirm')).toBe('shop');
  });

  it('teams transfer and rename say what came of it', async () => {
    server.json(`POST ${API}/teams/t1/transfer`, { ...TEAM, role: 'admin' }).json(`PATCH ${API}/teams/t1`, { ...TEAM, name: 'New' });
    expect((await cli.run(['teams', 'transfer', 'shop', 'dana@example.org', '--confirm', 'shop'])).stdout).toBe(
      'dana@example.org now owns shop. You are now admin.\n',
    );
    expect((await cli.run(['teams', 'rename', 'shop', 'New'])).stdout).toBe('shop is now called New.\n');
  });

  it('roles create reads rules, and looks projects up by name', async () => {
    server.json(`POST ${API}/teams/t1/roles`, ROLE, 201);
    await writeFile(
      join(cli.directory, 'rules.yaml'),
      'rules:\n  - action: [read, deploy]\n    subject: Project\n    projects: [guestbook]\n  - action: read\n    subject: Team\n',
    );
    const ran = await cli.run(['roles', 'create', 'releaser', '-f', 'rules.yaml', '--description', 'Ships.']);
    expect(ran).toMatchObject({ code: 0, stdout: 'Made the role releaser.\n' });
    expect(bodyOf(`POST ${API}/teams/t1/roles`)).toEqual({
      name: 'releaser',
      description: 'Ships.',
      rules: [
        { action: ['read', 'deploy'], subject: 'Project', conditions: { id: { $in: ['p1'] } } },
        { action: 'read', subject: 'Team' },
      ],
    });
  });

  it('roles show, table and list are tables; --json is what the server said', async () => {
    server.json(`GET ${API}/roles`, {
      roles: ['owner', 'viewer'],
      rows: [{ id: 'exec', title: 'exec / terminal', rights: {}, cells: { owner: '✓', viewer: '' } }],
      granted: [],
    });
    expect((await cli.run(['roles', 'show', 'releaser'])).stdout).toContain('deploy   Project  {"protected":false}');
    expect((await cli.run(['roles', 'table'])).stdout).toBe('ACTION           OWNER  VIEWER\nexec / terminal  ✓\n');
    expect(JSON.parse((await cli.run(['roles', '--json'])).stdout)).toEqual([ROLE]);
  });

  it('grants and protection go by the names of projects', async () => {
    server
      .json(`PUT ${API}/projects/p1/grants`, { email: 'dana@example.org', roleName: 'developer' })
      .json(`GET ${API}/projects/p1/grants`, page({ email: 'dana@example.org', roleName: 'developer', userId: 'u2' }))
      .json(`PUT ${API}/projects/p1/protection`, { protected: true })
      .on(`DELETE ${API}/projects/p1/grants/u2`, (_request, response) => {
        response.writeHead(204).end();
      });
    expect((await cli.run(['protect', 'guestbook'])).stdout).toContain('is protected');
    expect((await cli.run(['grants', 'add', 'guestbook', 'dana@example.org', '--role', 'developer'])).code).toBe(0);
    expect(bodyOf(`PUT ${API}/projects/p1/grants`)).toEqual({ email: 'dana@example.org', role: 'developer' });
    expect((await cli.run(['grants', 'list', 'guestbook'])).stdout).toContain('dana@example.org  developer');
    expect((await cli.run(['grants', 'remove', 'guestbook', 'dana@example.org'])).code).toBe(0);
    expect((await cli.run(['grants', 'remove', 'guestbook', 'nobody@example.org'])).stderr).toContain('has no grant');
  });

  it('permissions is a table by project', async () => {
    server.json(`GET ${API}/me/permissions`, {
      version: 'v',
      rules: [
        ['read,manage-members', 'Team', { id: { $in: ['t1'] } }],
        ['read', 'Project', { teamId: { $in: ['t1'] } }],
        ['deploy', 'Project', { teamId: { $in: ['t1'] }, protected: false }],
      ],
    });
    const { stdout } = await cli.run(['permissions']);
    expect(stdout).toContain('In the team shop you may: read, manage-members');
    expect(JSON.parse((await cli.run(['permissions', '--json'])).stdout)).toEqual({
      team: 'shop',
      teamActions: ['read', 'manage-members'],
      createProjects: false,
      projects: [{ project: 'guestbook', protected: true, actions: ['read'] }],
    });
  });

  it('break-glass open says how to end it', async () => {
    server.on(`POST ${API}/teams/t1/break-glass`, (_request, response) => {
      sendJson(response, 201, { id: 'case' });
    });
    const ran = await cli.run(['break-glass', 'open', 'shop', '--reason', 'Nobody can be reached.', '--minutes', '15']);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain('hithe break-glass end shop case');
    expect(bodyOf(`POST ${API}/teams/t1/break-glass`)).toEqual({ reason: 'Nobody can be reached.', minutes: 15 });
  });
});

describe('allows', () => {
  const rules = [
    ['manage', 'Node'],
    ['read,deploy', 'Project', { teamId: { $in: ['t1'] }, id: { $nin: ['p2'] } }],
    ['exec', 'Project', { id: 'p1' }, 1],
  ];

  it.each([
    ['read', 'Node', {}, true],
    ['read', 'Project', { teamId: 't1', id: 'p1' }, true],
    ['read', 'Project', { teamId: 't1', id: 'p2' }, false],
    ['read', 'Project', { teamId: 't2', id: 'p1' }, false],
    ['exec', 'Project', { teamId: 't1', id: 'p1' }, false],
    ['read', 'Team', { id: 't1' }, false],
  ])('%s %s %j: %s', (action, subject, attributes, expected) => {
    expect(allows(rules, action, subject, attributes)).toBe(expected);
  });
});
