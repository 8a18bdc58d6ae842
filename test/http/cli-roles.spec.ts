import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CliHarness, type Ran } from '../../cli/src/testing/cli-harness.js';
import { TestApplication, type TestUser, bearer } from '../support/application.js';

const SPEC = { name: 'shop', components: { db: { port: 'postgres', version: '17' } } };

/** The command line against a real control plane: a team from its founding to its end. */
describe('hithe teams, members, roles, grants, permissions', () => {
  let application: TestApplication;
  let owner: TestUser;
  let dana: TestUser;
  let admin: TestUser;
  let cli: CliHarness;
  let server: string;

  const as = (user: TestUser, ...argv: string[]): Promise<Ran> => {
    const env = { HITHE_SERVER: server, HITHE_TOKEN: user.accessToken, HITHE_TEAM: 'crew' };
    return cli.run(argv, argv.includes('--proof-stdin') ? { env, stdin: user.password } : { env });
  };
  const ok = async (user: TestUser, ...argv: string[]): Promise<string> => {
    const ran = await as(user, ...argv);
    expect({ argv, ...ran }).toMatchObject({ argv, code: 0 });
    return ran.stdout;
  };
  const json = async <T>(user: TestUser, ...argv: string[]): Promise<T> => JSON.parse(await ok(user, ...argv, '--json')) as T;

  beforeAll(async () => {
    application = await TestApplication.start();
    server = await application.app.getUrl();
    cli = await CliHarness.create();
    owner = await application.user('owner@example.org');
    dana = await application.user('dana@example.org');
    admin = await application.user('platform@example.org', { platformAdmin: true });
    const team = await json<{ id: string }>(owner, 'teams', 'create', 'Crew', '--slug', 'crew');
    await application.http.put(`/api/v1/teams/${team.id}/projects/shop`).set(bearer(owner)).send({ spec: SPEC }).expect(201);
  });

  afterAll(async () => {
    await cli[Symbol.asyncDispose]();
    await application.stop();
  });

  it('work from end to end', async () => {
    await writeFile(join(cli.directory, 'rules.yaml'), '- action: [read, deploy]\n  subject: Project\n  projects: [shop]\n');
    expect(await ok(owner, 'roles', 'create', 'shipper', '-f', 'rules.yaml')).toBe('Made the role shipper.\n');
    expect(await ok(owner, 'members', 'add', dana.email, '--role', 'shipper')).toBe('dana@example.org is now shipper of crew.\n');
    expect(await json(dana, 'permissions')).toMatchObject({
      team: 'crew',
      projects: [{ project: 'shop', protected: false, actions: ['read', 'deploy'] }],
    });
    await ok(owner, 'protect', 'shop');
    await ok(owner, 'members', 'set', dana.email, '--role', 'developer');
    expect(await json(dana, 'permissions')).toMatchObject({ projects: [{ protected: true, actions: ['read', 'read-logs'] }] });
    await ok(owner, 'grants', 'add', 'shop', dana.email, '--role', 'shipper');
    expect(await json(dana, 'permissions')).toMatchObject({ projects: [{ actions: ['read', 'read-logs', 'deploy'] }] });
    expect(await ok(dana, 'grants', 'list', 'shop')).toContain('dana@example.org  shipper');
    expect((await as(owner, 'roles', 'delete', 'shipper', '--confirm', 'shipper')).stderr).toContain('in use by dana@example.org');
    await ok(owner, 'grants', 'remove', 'shop', dana.email);
    await ok(owner, 'unprotect', 'shop');
    await ok(owner, 'roles', 'delete', 'shipper', '--confirm', 'shipper');
    expect(await ok(dana, 'roles', 'table')).toContain('delete or transfer a team');
    expect((await as(dana, 'members', 'add', admin.email, '--role', 'viewer')).stderr).toContain('role does not allow');
    const open = ['break-glass', 'open', 'crew', '--reason', 'Nobody can be reached.', '--minutes', '5'];
    expect(await as(admin, ...open)).toMatchObject({ code: 2, stderr: expect.stringContaining('--proof-stdin') as unknown });
    const opened = await json<{ id: string }>(admin, ...open, '--proof-stdin');
    expect(await ok(owner, 'break-glass', 'list', 'crew')).toContain('Nobody can be reached.');
    await ok(owner, 'break-glass', 'end', 'crew', opened.id);
    expect((await as(owner, 'teams', 'delete', 'crew', '--confirm', 'crew')).stderr).toContain('shop');
    expect(await ok(owner, 'teams', 'rename', 'crew', 'The crew')).toContain('The crew');
    expect(await ok(owner, 'teams', 'transfer', 'crew', dana.email, '--confirm', 'crew')).toContain('You are now admin.');
    expect(await json(owner, 'teams', 'show')).toMatchObject({ slug: 'crew', name: 'The crew', role: 'admin' });
    await ok(dana, 'members', 'remove', owner.email);
    expect((await as(dana, 'members', 'remove', dana.email)).stderr).toContain('last owner');
  });
});
