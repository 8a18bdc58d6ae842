import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CliHarness } from './testing/cli-harness.js';
import { ScriptedServer } from './testing/scripted-server.js';

const API = '/api/v1';
const VARIABLES = `${API}/projects/p1/variables`;
const KEYS = `${API}/platform/keys`;
const variable = (patch: object): object => ({
  ...{ name: 'API_KEY', component: null, kind: 'secret', origin: 'project', value: '••••••••', version: 2 },
  ...{ setBy: { id: 'u1', email: 'ada@example.org' }, setAt: '2026-01-01T00:00:00.000Z', overrides: [], inUse: false },
  ...patch,
});

describe('hithe secrets', () => {
  let server: ScriptedServer;
  let cli: CliHarness;

  beforeEach(async () => {
    server = await ScriptedServer.start();
    cli = await CliHarness.create({ HITHE_SERVER: server.url, HITHE_TOKEN: 'a1' });
    server
      .json(`GET ${API}/me`, { id: 'u1', email: 'ada@example.org', teams: [{ id: 't1', slug: 'ada', name: 'Ada' }] })
      .json(`GET ${API}/projects`, { items: [{ id: 'p1', name: 'shop' }], nextCursor: null })
      .json(`GET ${VARIABLES}`, {
        items: [variable({}), variable({ name: 'LEVEL', component: 'web', kind: 'plain', value: 'a\u001b[2Jb', inUse: true })],
        nextCursor: null,
      })
      .json(`PUT ${VARIABLES}`, {
        changed: true,
        changes: [{ name: 'API_KEY', component: null, kind: 'secret', action: 'changed', version: 3 }],
      })
      .json(`POST ${VARIABLES}/import`, { changed: true, changes: [{ name: 'A', component: 'web', kind: 'secret', action: 'created' }] })
      .json(`POST ${VARIABLES}/reveal`, {
        items: [{ name: 'API_KEY', component: null, kind: 'secret', origin: 'project', version: 3, value: 'clear text' }],
        nextCursor: null,
      })
      .json(`POST ${VARIABLES}/export`, { text: "API_KEY='clear text'\n", count: 1 });
  });

  afterEach(async () => {
    await cli[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const sent = (route: string): unknown => JSON.parse(server.calls(route)[0]?.body.toString() ?? 'null');
  const secrets = (args: string[], options: Parameters<CliHarness['run']>[1] = {}) => cli.run(['secrets', ...args, '-p', 'shop'], options);

  it('lists what is set, and what waits for a deploy', async () => {
    const { stdout, code } = await secrets(['list']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/API_KEY +\(project\) +secret +•{8} +2 +ada@example.org .*with the next deploy/);
    expect(JSON.parse((await secrets(['list', '--json'])).stdout)).toHaveLength(2);
    await secrets(['list', '-c', 'web']);
    expect(server.calls(`GET ${VARIABLES}`).at(-1)?.query.get('component')).toBe('web');
  });

  it('R38: shows control characters of a value instead of obeying them', async () => {
    const { stdout } = await secrets(['list']);
    expect(stdout).toContain('a\\x1b[2Jb');
    expect(stdout).not.toContain('\u001b[2J');
  });

  it('takes a secret from the standard input, without the line end of echo', async () => {
    const { stdout, stderr, code } = await secrets(['set', 'API_KEY=-', '-c', 'web'], { stdin: 'a secret\nof two lines\n' });
    expect(code).toBe(0);
    expect(sent(`PUT ${VARIABLES}`)).toEqual({
      component: 'web',
      variables: [{ name: 'API_KEY', kind: 'secret', value: 'a secret\nof two lines' }],
    });
    expect(stdout).toBe('API_KEY changed, version 3\n');
    expect(stderr).toContain('hithe deploy shop');
    expect(stdout + stderr).not.toContain('a secret');
  });

  it('asks for a secret on a terminal without showing it', async () => {
    const { stdout, stderr, code } = await secrets(['set', 'API_KEY'], { stdin: 'typed\r', tty: true });
    expect(code).toBe(0);
    expect(sent(`PUT ${VARIABLES}`)).toMatchObject({ variables: [{ value: 'typed' }] });
    expect(stdout + stderr).not.toContain('typed');
  });

  it('refuses a secret on the command line, and says how else without repeating it', async () => {
    const { stderr, code } = await secrets(['set', 'API_KEY=on-the-line']);
    expect(code).toBe(2);
    expect(stderr).toContain('hithe secrets set API_KEY=-');
    expect(stderr).not.toContain('on-the-line');
    expect(server.calls(`PUT ${VARIABLES}`)).toEqual([]);
    expect((await secrets(['set', 'A=-', 'B=-'], { stdin: 'x' })).code).toBe(2);
    expect((await secrets(['set', 'A=-'], { stdin: '' })).code).toBe(2);
    expect((await secrets(['set', 'A=x', 'B', '--plain', '--from-file', 'f'])).code).toBe(2);
  });

  it('takes plain values and references from the command line, and a value from a file', async () => {
    await writeFile(join(cli.directory, 'key.pem'), 'a key\n');
    await secrets(['set', 'LEVEL=debug', 'EMPTY=', '--plain']);
    await secrets(['set', 'KEY=vault:kv/a#b', '--reference']);
    await secrets(['set', 'KEY', '--from-file', 'key.pem']);
    const bodies = server.calls(`PUT ${VARIABLES}`).map(({ body }) => (JSON.parse(body.toString()) as { variables: unknown[] }).variables);
    expect(bodies).toEqual([
      [
        { name: 'LEVEL', kind: 'plain', value: 'debug' },
        { name: 'EMPTY', kind: 'plain', value: '' },
      ],
      [{ name: 'KEY', kind: 'reference', value: 'vault:kv/a#b' }],
      [{ name: 'KEY', kind: 'secret', value: 'a key\n' }],
    ]);
  });

  it('imports a file, after a look at it', async () => {
    await writeFile(join(cli.directory, '.env'), 'A=1\n');
    const dry = await secrets(['import', '.env', '--dry-run', '--prune', '-c', 'web']);
    expect(dry.stdout).toBe('web.A created\n');
    expect(sent(`POST ${VARIABLES}/import`)).toEqual({ component: 'web', text: 'A=1\n', kind: 'secret', prune: true, dryRun: true });
    expect((await secrets(['import', 'nothing.env'])).code).toBe(2);
    expect((await secrets(['import', '-'], { stdin: 'A=1' })).code).toBe(0);
  });

  it('reveals one secret alone on its line, and exports to a file that only its owner reads', async () => {
    expect((await secrets(['reveal', 'API_KEY'])).stdout).toBe('clear text\n');
    expect(sent(`POST ${VARIABLES}/reveal`)).toEqual({ names: ['API_KEY'] });
    expect((await secrets(['reveal'])).stdout).toContain('API_KEY');
    expect((await secrets(['export', '-o', 'out.env'])).code).toBe(0);
    expect(await readFile(join(cli.directory, 'out.env'), 'utf8')).toBe("API_KEY='clear text'\n");
    expect((await stat(join(cli.directory, 'out.env'))).mode & 0o777).toBe(0o600);
    expect((await secrets(['export', '-o', 'out.env'])).code).toBe(2);
    expect((await secrets(['export'])).stdout).toBe("API_KEY='clear text'\n");
  });

  it('rotates the platform key and waits until the old one wraps nothing', async () => {
    const keys = (rows: number): object => ({
      items: [
        { id: 'old', active: false, createdAt: '2026-01-01T00:00:00.000Z', rows },
        { id: 'new', active: true, createdAt: '2026-02-01T00:00:00.000Z', rows: 9 - rows },
      ],
      nextCursor: null,
    });
    server.json(`POST ${KEYS}/rotate`, keys(9), 202).json(`GET ${KEYS}`, keys(0)).json(`POST ${KEYS}/retire`, keys(0));
    const { stdout, code } = await cli.run(['secrets', 'rotate-key']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/old +\d+ d +old +0\nnew +\d+ d +active +9/);
    expect((await cli.run(['secrets', 'rotate-key', '--retire'])).code).toBe(2);
    expect(server.calls(`POST ${KEYS}/retire`)).toEqual([]);
    expect((await cli.run(['secrets', 'rotate-key', '--retire', '--confirm', 'retire'])).code).toBe(0);
    expect((await cli.run(['secrets', 'keys', '--json'])).code).toBe(0);
  });

  it('removes, and shows versions', async () => {
    server
      .on(`DELETE ${VARIABLES}/API_KEY`, (_request, response) => {
        response.writeHead(204).end();
      })
      .json(`GET ${VARIABLES}/API_KEY/history`, {
        items: [{ version: 1, kind: 'removed', value: null, setBy: null, setAt: '2026-01-01T00:00:00.000Z' }],
        nextCursor: null,
      });
    expect((await secrets(['unset', 'API_KEY'])).stdout).toBe('API_KEY removed\n');
    expect((await secrets(['history', 'API_KEY'])).stdout).toContain('removed');
  });
});
