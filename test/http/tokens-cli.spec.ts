import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CliHarness } from '../../cli/src/testing/cli-harness.js';
import { bearer, type TestUser } from '../support/application.js';
import { TestPlatform } from '../support/platform.js';
import type { ScriptedAgent } from '../support/scripted-agent.js';

const FILE = `name: shop
components:
  web:
    port: nodejs-app
    version: "24"
    source: { path: ./app }
`;

/** The command line with an API token as its only credential, as a CI job has it. */
describe('hithe in CI', () => {
  let platform: TestPlatform;
  let agent: ScriptedAgent;
  let ada: TestUser;
  let cli: CliHarness;
  let directory: string;

  beforeAll(async () => {
    platform = await TestPlatform.start();
    agent = await platform.agent();
    ada = await platform.application.user('ada@example.org');
    const team = { name: 'Crew', slug: 'crew' };
    await platform.application.http.post('/api/v1/teams').set(bearer(ada)).send(team).expect(201);
    cli = await CliHarness.create({ HITHE_SERVER: await platform.url(), HITHE_TEAM: 'crew' });
    directory = join(cli.directory, 'shop');
    await mkdir(join(directory, 'app'), { recursive: true });
    await writeFile(join(directory, 'hithe.yaml'), FILE);
    await writeFile(join(directory, 'app', 'index.js'), 'setInterval(() => {}, 1000);\n');
  });

  afterAll(async () => {
    await cli[Symbol.asyncDispose]();
    await agent.end();
    await platform.stop();
  });

  const as = (token: string, ...argv: string[]) => cli.run(argv, { cwd: directory, env: { HITHE_TOKEN: token } });

  it('a token of a service account for one project deploys it from a directory, and does nothing else', async () => {
    const first = await as(ada.accessToken, 'deploy');
    expect({ code: first.code, stderr: first.code === 0 ? '' : first.stderr }).toEqual({ code: 0, stderr: '' });
    expect((await as(ada.accessToken, 'service-accounts', 'create', 'deployer', '--role', 'developer')).code).toBe(0);
    const wish = ['--name', 'ci', '--scope', 'read,deploy', '--project', 'shop', '--expires', '1d'];
    const token = (await as(ada.accessToken, 'service-accounts', 'tokens', 'create', 'deployer', ...wish)).stdout.trim();
    expect(token).toMatch(/^hithe_sat_/);
    const who = await as(token, 'whoami');
    expect(who.stdout).toMatch(/deployer@crew\.service[^]*API token "ci": read:\S+, deploy:\S+; until/);
    await writeFile(join(directory, 'app', 'index.js'), 'setInterval(() => {}, 2000);\n');
    const deployed = await as(token, 'deploy');
    expect({ code: deployed.code, stderr: deployed.code === 0 ? '' : deployed.stderr }).toEqual({ code: 0, stderr: '' });
    expect((await as(token, 'status', 'shop')).code).toBe(0);
    const refused = await as(token, 'tokens', 'create', '--name', 'mine', '--scope', 'read');
    expect(refused).toMatchObject({ code: 6, stdout: '' });
    expect(refused.stderr).toContain('No API token may do this');
    expect((await as(token, 'delete', 'shop', '--confirm', 'shop')).code).toBe(6);
  });
});
