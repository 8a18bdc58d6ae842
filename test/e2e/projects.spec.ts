import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from './support/eventually.js';
import { Installation, ROOT } from './support/installation.js';
import { addressOf, componentOf, type StatusShape } from './support/shapes.js';

jest.setTimeout(600_000);

describe('projects', () => {
  let hithe: Installation;
  let directory: string;

  beforeAll(async () => {
    hithe = await Installation.create();
    directory = await mkdtemp(join(tmpdir(), 'hithe-projects-'));
    await hithe.start(['--no-example'], { HITHE_USAGE_INTERVAL: '0.5' });
    await hithe.login();
  });
  afterAll(async () => {
    await hithe.dispose();
    await rm(directory, { recursive: true });
  });

  const write = async (text: string, files: Record<string, string> = {}): Promise<string> => {
    const at = await mkdtemp(join(directory, 'p-'));
    for (const [name, content] of Object.entries(files)) {
      await mkdir(join(at, name, '..'), { recursive: true });
      await writeFile(join(at, name), content);
    }
    await writeFile(join(at, 'hithe.yaml'), text);
    return join(at, 'hithe.yaml');
  };

  describe('node-red, a published package', () => {
    const FLOW = [
      { id: 'tab', type: 'tab', label: 'e2e' },
      { id: 'in', z: 'tab', type: 'http in', url: '/hello', method: 'get', wires: [['set']] },
      {
        id: 'set',
        z: 'tab',
        type: 'change',
        rules: [{ t: 'set', p: 'payload', pt: 'msg', to: 'from a flow', tot: 'str' }],
        wires: [['out']],
      },
      { id: 'out', z: 'tab', type: 'http response', statusCode: '200', wires: [] },
    ];
    const address = async (): Promise<string> => {
      const status = await hithe.json<StatusShape>(['status', 'node-red']);
      return addressOf(status, status.components[0]?.name ?? '');
    };
    const hello = async (base: string): Promise<boolean> => (await (await fetch(`${base}/hello`)).text()) === 'from a flow';

    it('runs, takes a flow, and has it still after stop and start', async () => {
      await hithe.ok(['apply', '-f', join(ROOT, 'examples/node-red/hithe.yaml')]);
      await hithe.ok(['deploy', 'node-red']);
      const base = await address();
      expect((await fetch(base)).status).toBe(200);
      const posted = await fetch(`${base}/flows`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(FLOW),
      });
      expect(posted.ok).toBe(true);
      await eventually('the flow answers', 20, () => hello(base));
      await hithe.ok(['stop', 'node-red']);
      await hithe.ok(['start', 'node-red']);
      await eventually('the flow answers again', 60, async () => hello(await address()));
    });

    it('has its processor time and its stored bytes in what the team uses', async () => {
      const used = await eventually('both are counted', 120, async () => {
        const projects = await hithe.json<{ project: string; cpuSeconds: number; storedMostBytes: number }[]>(['usage', '--by', 'project']);
        return projects.find(({ project, cpuSeconds, storedMostBytes }) => project === 'node-red' && cpuSeconds > 0 && storedMostBytes > 0);
      });
      const [day] = await hithe.json<{ cpuSeconds: number; storedMostBytes: number }[]>(['usage']);
      expect(day?.cpuSeconds).toBeGreaterThanOrEqual(used.cpuSeconds);
      expect(day?.storedMostBytes).toBeGreaterThanOrEqual(used.storedMostBytes);
    });
  });

  describe('of two teams', () => {
    const spec = 'name: private\ncomponents:\n  cache: {port: valkey, version: "8"}\n';

    it('see nothing of each other, and run under uids that cannot read each other', async () => {
      const file = await write(spec);
      await hithe.ok(['deploy', '-f', file]);
      await hithe.ok(['users', 'create', '--email', 'eve@example.org', '--password-stdin'], { stdin: 'another long pass phrase' });
      await hithe.ok(['login', '--server', hithe.url, '--email', 'eve@example.org', '--password-stdin'], {
        as: 'eve',
        stdin: 'another long pass phrase',
      });
      expect(await hithe.json(['projects'], { as: 'eve' })).toEqual([]);
      for (const args of [
        ['status', 'private'],
        ['logs', 'private'],
        ['stop', 'private'],
        ['delete', 'private', '--confirm', 'private'],
      ]) {
        expect((await hithe.hithe(args, { as: 'eve' })).code).toBe(4);
      }
      const token = (await hithe.ok(['auth', 'token'], { as: 'eve' })).trim();
      const [project] = await hithe.json<{ id: string }[]>(['projects']);
      const foreign = await fetch(`${hithe.url}/api/v1/projects/${project?.id ?? ''}`, { headers: { authorization: `Bearer ${token}` } });
      expect(foreign.status).toBe(404);
      await hithe.ok(['deploy', '-f', file], { as: 'eve' });
      const ours = componentOf(await hithe.json<StatusShape>(['status', 'private']), 'cache');
      const hers = componentOf(await hithe.json<StatusShape>(['status', 'private'], { as: 'eve' }), 'cache');
      expect(ours.pid).not.toBe(hers.pid);
      if (process.geteuid?.() === 0) await expectSeparateUids(ours.uid, hers.uid);
    });

    const expectSeparateUids = async (ours: number | undefined, hers: number | undefined): Promise<void> => {
      expect(ours).toBeGreaterThan(1_000_000);
      expect(hers).not.toBe(ours);
      const tenants = await readdir(join(hithe.home, 'tenants'));
      expect(tenants.length).toBeGreaterThanOrEqual(2);
      const readable = tenants.filter((tenant) => {
        try {
          execFileSync(
            'setpriv',
            [`--reuid=${ours ?? 0}`, `--regid=${ours ?? 0}`, '--clear-groups', 'ls', join(hithe.home, 'tenants', tenant)],
            { stdio: 'ignore' },
          );
          return true;
        } catch {
          return false;
        }
      });
      expect(readable).toHaveLength(1);
    };
  });

  describe('with bad input', () => {
    const web = '  web: {port: nodejs-app, version: "24", source: {path: ./app}';
    const app = { 'app/package.json': '{"scripts":{"start":"node server.js"}}', 'app/server.js': '' };

    it.each([
      ['an unknown port', 'name: bad\ncomponents:\n  db: {port: postgrse}\n', /hithe\.yaml:3:\d+/, /postgrse/, /postgres/],
      ['a version that does not exist', 'name: bad\ncomponents:\n  db: {port: postgres, version: "99"}\n', /hithe\.yaml:3:\d+/, /99/, /17/],
      [
        'a cycle in needs',
        'name: bad\ncomponents:\n  a: {port: valkey, needs: [b]}\n  b: {port: valkey, needs: [a]}\n',
        /hithe\.yaml:\d+:\d+/,
        /a|b/,
        /needs/,
      ],
      ['a missing var', 'name: bad\ncomponents:\n  x: {port: npm-app}\n', /hithe\.yaml:3:\d+/, /missing|required|needs/i, /./],
      ['a wrong type', 'name: bad\ncomponents:\n  db: {port: postgres, needs: cache}\n', /hithe\.yaml:3:\d+/, /list/, /./],
      [
        'a reference that nothing exports',
        `name: bad\ncomponents:\n  db: {port: postgres}\n${web}, needs: [db], env: {A: "\${db.NOPE}"}}\n`,
        /hithe\.yaml:4:\d+/,
        /NOPE/,
        /POSTGRES_URL/,
      ],
      [
        'a duplicate name',
        'name: bad\ncomponents:\n  db: {port: postgres}\n  db: {port: valkey}\n',
        /hithe\.yaml:4:3/,
        /second time/,
        /Rename/,
      ],
      ['a broken YAML', 'name: bad\ncomponents:\n  db: {port: postgres\n', /hithe\.yaml:\d+:\d+/, /./, /missing|bracket|indent/i],
    ])('%s: names the place and the mend, and changes nothing', async (_what, text, place, message, mend) => {
      const file = await write(text, app);
      for (const command of ['plan', 'apply', 'deploy']) {
        const ran = await hithe.hithe([command, '-f', file]);
        const said = ran.stdout + ran.stderr;
        expect(said).toMatch(place);
        expect(said).toMatch(message);
        expect(said).toMatch(/mend:/);
        expect(said).toMatch(mend);
        expect(ran.code).toBe(2);
      }
      expect((await hithe.hithe(['status', 'bad'])).code).toBe(4);
    });
  });

  describe('that are deleted', () => {
    it('want their name, go, and leave their data unless purged', async () => {
      const file = await write('name: short-lived\ncomponents:\n  cache: {port: valkey, version: "8"}\n');
      await hithe.ok(['deploy', '-f', file]);
      expect((await hithe.hithe(['delete', 'short-lived'])).code).toBe(2);
      expect((await hithe.hithe(['delete', 'short-lived', '--confirm', 'other'])).code).toBe(2);
      await hithe.ok(['delete', 'short-lived', '--confirm', 'short-lived', '--purge']);
      expect((await hithe.hithe(['status', 'short-lived'])).code).toBe(4);
    });
  });
});
