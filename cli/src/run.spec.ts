import { readFile, stat, writeFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CliHarness } from './testing/cli-harness.js';
import { ScriptedServer, sendJson, sendProblem } from './testing/scripted-server.js';

const TEAM = { id: 't1', slug: 'ada', name: 'Ada', role: 'owner' };
const USER = { id: 'u1', email: 'ada@example.org', platformAdmin: true };
const PROJECT = {
  id: 'p1',
  teamId: 't1',
  name: 'guestbook',
  spec: {},
  specVersion: 3,
  release: 2,
  state: 'running',
  createdAt: '',
  updatedAt: '2026-01-01T00:00:00Z',
};
const DEPLOYMENT = {
  id: 'd1',
  projectId: 'p1',
  kind: 'deploy',
  state: 'queued',
  release: 3,
  requestedBy: 'u1',
  components: ['web'],
  createdAt: '2026-01-01T00:00:00Z',
  steps: [{ component: 'web', step: 'prepare', state: 'pending' }],
};
const SUCCEEDED = {
  ...DEPLOYMENT,
  state: 'succeeded',
  finishedAt: '2026-01-01T00:00:02Z',
  steps: [{ component: 'web', step: 'prepare', state: 'done', startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:00:01Z' }],
};
const STATUS = {
  project: 'guestbook',
  state: 'running',
  release: 3,
  health: 'healthy',
  components: [
    {
      name: 'web',
      port: 'nodejs-app',
      version: '24',
      resolvedVersion: '24.1.0',
      state: 'running',
      health: 'healthy',
      restarts: 0,
      pid: 42,
      startedAt: '2026-01-01T00:00:00Z',
      endpoints: [{ name: 'http', protocol: 'http', address: '127.0.0.1', port: 21001, url: 'http://127.0.0.1:21001' }],
    },
  ],
};
const API = '/api/v1';

describe('hithe', () => {
  let server: ScriptedServer;
  let cli: CliHarness;

  beforeEach(async () => {
    server = await ScriptedServer.start();
    cli = await CliHarness.create();
    server
      .json(`POST ${API}/auth/login`, { accessToken: 'a1', refreshToken: 'r1', expiresIn: 900, user: USER })
      .json(`GET ${API}/me`, { ...USER, teams: [TEAM] })
      .json(`GET ${API}/projects`, { items: [PROJECT], nextCursor: null })
      .json(`PUT ${API}/teams/t1/projects/guestbook`, PROJECT)
      .json(`POST ${API}/projects/p1/deployments`, DEPLOYMENT, 202)
      .json(`GET ${API}/deployments/d1`, SUCCEEDED)
      .json(`GET ${API}/projects/p1/status`, STATUS)
      .on(`GET ${API}/deployments/d1/events`, (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(
          'id: 1\nevent: component\ndata: {"component":"web","step":"prepare","state":"running","startedAt":"2026-01-01T00:00:00Z"}\n\n',
        );
        response.end('id: 2\nevent: end\ndata: {"state":"succeeded"}\n\n');
      });
  });
  afterEach(async () => {
    await cli[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const login = async (): Promise<void> => {
    const ran = await cli.run(['login', '--server', server.url, '--email', USER.email, '--password-stdin'], { stdin: 'geheim\n' });
    expect(ran).toMatchObject({ code: 0 });
  };

  const writeProject = async (): Promise<void> => {
    await mkdir(join(cli.directory, 'app'));
    await writeFile(join(cli.directory, 'app/server.js'), '1');
    await writeFile(join(cli.directory, 'hithe.yaml'), 'name: guestbook\ncomponents:\n  web: {port: nodejs-app, source: {path: ./app}}\n');
    server.on(`POST ${API}/teams/t1/sources`, ({ body }, response) => {
      void import('node:crypto').then(({ createHash }) => {
        sendJson(response, 201, { digest: `sha256-${createHash('sha256').update(body).digest('hex')}`, size: body.length });
      });
    });
  };

  describe('log-in', () => {
    it('keeps the tokens in a file of mode 0600 and chooses the team', async () => {
      await login();
      const file = join(cli.configDirectory, 'credentials.json');
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
        servers: { [server.url]: { accessToken: 'a1', refreshToken: 'r1', email: USER.email } },
      });
      const who = await cli.run(['whoami', '--json']);
      expect(JSON.parse(who.stdout)).toMatchObject({ email: USER.email, team: 'ada', server: server.url });
      expect(server.calls(`GET ${API}/me`).at(-1)?.headers.authorization).toBe('Bearer a1');
    });

    it('ends with 3 when the password is wrong, and keeps nothing', async () => {
      server.on(`POST ${API}/auth/login`, (_request, response) => {
        sendProblem(response, 401, 'CREDENTIALS_WRONG', 'Email or password is wrong.');
      });
      const ran = await cli.run(['login', '--server', server.url, '--email', 'x@y.z', '--password-stdin'], { stdin: 'no' });
      expect(ran.code).toBe(3);
      expect(ran.stderr).toContain('Email or password is wrong.');
      expect((await cli.run(['status'])).code).toBe(3);
    });

    it('never asks for a password without a terminal', async () => {
      const ran = await cli.run(['login', '--server', server.url, '--email', 'x@y.z']);
      expect(ran.code).toBe(2);
      expect(ran.stderr).toContain('--password-stdin');
    });

    it('uses HITHE_SERVER and HITHE_TOKEN without any file', async () => {
      const ran = await cli.run(['auth', 'token'], { env: { HITHE_SERVER: server.url, HITHE_TOKEN: 'given' } });
      expect(ran).toMatchObject({ code: 0, stdout: 'given\n' });
    });

    it('renews an access token once, whichever command is first', async () => {
      server.json(`POST ${API}/auth/login`, { accessToken: 'a1', refreshToken: 'r1', expiresIn: 1, user: USER });
      server.json(`POST ${API}/auth/refresh`, { accessToken: 'a2', refreshToken: 'r2', expiresIn: 900 });
      await login();
      const ran = await Promise.all(Array.from({ length: 4 }, () => cli.run(['auth', 'token'])));
      expect(ran.map(({ stdout }) => stdout)).toEqual(Array(4).fill('a2\n'));
      expect(server.calls(`POST ${API}/auth/refresh`)).toHaveLength(1);
    });

    it('sends no credentials of one server to another', async () => {
      await login();
      await using other = await ScriptedServer.start();
      const ran = await cli.run(['whoami'], { env: { HITHE_SERVER: other.url } });
      expect(ran.code).toBe(3);
      expect(other.seen).toEqual([]);
    });

    it('forgets the log-in even when the server is away', async () => {
      await login();
      server.on(`POST ${API}/auth/logout`, (_request, response) => {
        response.destroy();
      });
      expect(await cli.run(['logout'])).toMatchObject({ code: 0 });
      expect((await cli.run(['whoami'])).code).toBe(3);
    });
  });

  describe('deploy', () => {
    it('uploads the source, applies, deploys, follows, and shows the address', async () => {
      await login();
      await writeProject();
      const ran = await cli.run(['deploy']);
      expect(ran).toMatchObject({ code: 0 });
      expect(ran.stdout).toContain('guestbook deployed, release 3 in 2.0 s.');
      expect(ran.stdout).toContain('web: http://127.0.0.1:21001');
      expect(ran.stderr).toContain('web prepare running\n');
      expect(ran.stderr).toContain('web prepare done (1.0 s)\n');
      const [applied] = server.calls(`PUT ${API}/teams/t1/projects/guestbook`);
      expect(JSON.parse(String(applied?.body))).toMatchObject({
        spec: { components: { web: { source: { path: './app', digest: expect.stringMatching(/^sha256-/) } } } },
      });
      expect(server.calls(`POST ${API}/projects/p1/deployments`)[0]?.headers['idempotency-key']).toBeDefined();
    });

    it('redraws a compact list on a terminal', async () => {
      await login();
      const ran = await cli.run(['deploy', 'guestbook'], { tty: true, env: { NO_COLOR: '1', TERM: 'xterm' } });
      expect(ran.code).toBe(0);
      expect(ran.stderr).toMatch(/✔ web {2}prepare 1\.0 s\n$/);
    });

    it('ends with 1 and says component, step, exit code, log and mend of a failure', async () => {
      await login();
      const failure = {
        component: 'web',
        step: 'start',
        exitCode: 1,
        message: 'web exited with code 1',
        logTail: ['boom \u001b[2J'],
        fix: 'Mend the code.',
      };
      server.json(`GET ${API}/deployments/d1`, { ...SUCCEEDED, state: 'rolled_back', failure });
      const ran = await cli.run(['deploy', 'guestbook']);
      expect(ran.code).toBe(1);
      for (const part of [
        'What ran before runs again',
        'web: start (exit code 1)',
        'web exited with code 1',
        'boom \\x1b[2J',
        'mend: Mend the code.',
        'hithe logs guestbook web',
      ]) {
        expect(ran.stderr).toContain(part);
      }
    });

    it('ends with 5 while another deployment is active', async () => {
      await login();
      server.on(`POST ${API}/projects/p1/deployments`, (_request, response) => {
        sendProblem(response, 409, 'DEPLOYMENT_ALREADY_ACTIVE', 'Another deployment is active.', { fix: 'Wait for it.' });
      });
      const ran = await cli.run(['restart', 'guestbook', '--json']);
      expect(ran.code).toBe(5);
      expect(JSON.parse(ran.stderr)).toEqual({
        error: { exitCode: 5, code: 'DEPLOYMENT_ALREADY_ACTIVE', message: 'Another deployment is active.', fix: 'Wait for it.' },
      });
    });

    it('places the faults that the server finds in the file', async () => {
      await login();
      await writeProject();
      server.on(`PUT ${API}/teams/t1/projects/guestbook`, (_request, response) => {
        const errors = [
          { path: 'components.web.port', code: 'PORT_UNKNOWN', message: 'There is no port "nodejs-app".', fix: 'Did you mean "nodejs"?' },
        ];
        sendProblem(response, 400, 'PROJECT_SPEC_INVALID', 'One fault.', { errors });
      });
      const ran = await cli.run(['apply']);
      expect(ran.code).toBe(2);
      expect(ran.stderr).toContain('hithe.yaml:3:9: components.web.port: There is no port "nodejs-app".');
      expect(ran.stderr).toContain('mend: Did you mean "nodejs"?');
    });

    it('sends nothing when the YAML is broken', async () => {
      await login();
      const before = server.seen.length;
      await writeFile(join(cli.directory, 'hithe.yaml'), 'name: x\nname: y\n');
      const ran = await cli.run(['deploy']);
      expect(ran.code).toBe(2);
      expect(ran.stderr).toContain('hithe.yaml:2:1');
      expect(server.seen).toHaveLength(before);
    });
  });

  describe('delete', () => {
    it('wants the name, by option or typed on a terminal', async () => {
      await login();
      server.json(`DELETE ${API}/projects/p1`, { ...DEPLOYMENT, kind: 'delete' }, 202);
      expect(await cli.run(['delete', 'guestbook'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--confirm guestbook') });
      expect((await cli.run(['delete', 'guestbook', '--confirm', 'other'])).code).toBe(2);
      expect((await cli.run(['delete', 'guestbook'], { tty: true, stdin: 'gestbook\n' })).code).toBe(2);
      expect(server.calls(`DELETE ${API}/projects/p1`)).toHaveLength(0);
      expect((await cli.run(['delete', 'guestbook', '--confirm', 'guestbook', '--purge'])).code).toBe(0);
      const [call] = server.calls(`DELETE ${API}/projects/p1`);
      expect(Object.fromEntries(call?.query ?? [])).toEqual({ confirm: 'guestbook', purge: 'true' });
    });
  });

  describe('views', () => {
    it('shows a status as columns, without colours where they are not wanted', async () => {
      await login();
      const plain = await cli.run(['status', 'guestbook']);
      expect(plain.stdout).toMatch(/web +nodejs-app +24\.1\.0 +running +healthy +0 +42 .* http:\/\/127\.0\.0\.1:21001\n/);
      expect(plain.stdout).not.toContain('\u001b');
      expect((await cli.run(['status', 'guestbook'], { tty: true, env: { TERM: 'xterm' } })).stdout).toContain('\u001b[32mrunning');
      expect(JSON.parse((await cli.run(['--json', 'status', 'guestbook'])).stdout)).toEqual(STATUS);
    });

    it('ends `health` with 1 while a component is not healthy', async () => {
      await login();
      server.json(`GET ${API}/projects/p1/health`, {
        healthy: false,
        components: [{ name: 'cache', health: 'unhealthy', message: 'stopped' }],
      });
      expect(await cli.run(['health', 'guestbook'])).toMatchObject({ code: 1, stdout: expect.stringContaining('not healthy') });
    });

    it('prints logs with the component before each line, made safe', async () => {
      await login();
      const items = [
        { component: 'web', allocationId: 'x', at: '2026-01-01T00:00:00Z', text: 'GET / 200' },
        { component: 'cache', allocationId: 'y', at: '2026-01-01T00:00:01Z', text: '\u001b]0;owned\u0007' },
      ];
      server.json(`GET ${API}/projects/p1/logs`, { items });
      const ran = await cli.run(['logs', '-n', '5', 'guestbook']);
      expect(ran.stdout).toBe('web | GET / 200\ncache | \\x1b]0;owned\\x07\n');
      expect(server.calls(`GET ${API}/projects/p1/logs`)[0]?.query.get('lines')).toBe('5');
      expect((await cli.run(['logs', '-t', 'guestbook', 'web'])).stdout).toContain('2026-01-01T00:00:00Z GET / 200\n');
    });

    it('suggests a project that is spelled nearly so', async () => {
      await login();
      const ran = await cli.run(['status', 'gestbook']);
      expect(ran.code).toBe(4);
      expect(ran.stderr).toContain('Did you mean "guestbook"?');
    });
  });

  describe('the command line', () => {
    it.each([
      [['stauts'], 'Did you mean status?'],
      [['teams', 'creat'], 'hithe teams create'],
      [['logs', '-n', 'ten', 'x'], 'whole number'],
      [['delete'], "missing required argument 'project'"],
      [['deploy', '--nope'], 'unknown option'],
    ])('ends %j with 2 and a hint', async (argv, hint) => {
      const ran = await cli.run(argv);
      expect(ran.code).toBe(2);
      expect(ran.stderr).toContain(hint);
    });

    it('shows help with examples and exit codes', async () => {
      const help = await cli.run(['--help']);
      expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining('Exit codes:') });
      expect((await cli.run(['deploy', '--help'])).stdout).toContain('$ hithe deploy -f examples/guestbook/hithe.yaml');
    });

    it('ends with 7 and the cause when nothing listens', async () => {
      const ran = await cli.run(['projects'], { env: { HITHE_SERVER: 'http://127.0.0.1:9', HITHE_TOKEN: 'x', HITHE_TEAM: 'x' } });
      expect(ran.code).toBe(7);
      expect(ran.stderr).toContain('nothing listens there');
    });
  });
});
