import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CliHarness } from './testing/cli-harness.js';
import { ScriptedServer } from './testing/scripted-server.js';

const TEAM = { id: 't1', slug: 'ada', name: 'Ada', role: 'owner' };
const SHOP = { id: 't2', slug: 'shop', name: 'Web shop' };
const API = '/api/v1';
const line = (resource: string, limit: number | null, used: number, planned: number | null, source = 'none'): object => ({
  resource,
  limit,
  used,
  planned,
  source,
});
const QUOTA = {
  teamId: 't1',
  own: { projects: 20 },
  resources: [
    line('projects', 20, 19, 19, 'team'),
    line('components', null, 40, 42),
    line('memory', 8 * 1024 ** 3, 1024 ** 3, 1.5 * 1024 ** 3, 'platform'),
    line('cpu', null, 2.5, 3),
    line('disk', null, 3 * 1024 ** 2, null),
    line('listenPorts', null, 4, 4),
  ],
};
const USAGE = [
  { day: '2026-01-01', cpuSeconds: 7_200, memoryGbHours: 12.345, storedGbHours: 48, storedMostBytes: 2 * 1024 ** 3 },
  { day: '2026-01-02', cpuSeconds: 0, memoryGbHours: 0, storedGbHours: 0, storedMostBytes: 0 },
];

describe('hithe quota and hithe usage', () => {
  let server: ScriptedServer;
  let cli: CliHarness;

  beforeEach(async () => {
    server = await ScriptedServer.start();
    cli = await CliHarness.create({ HITHE_SERVER: server.url, HITHE_TOKEN: 'a1' });
    server
      .json(`GET ${API}/me`, { id: 'u1', email: 'ada@example.org', platformAdmin: true, teams: [TEAM] })
      .json(`GET ${API}/teams`, { items: [TEAM, SHOP], nextCursor: null })
      .json(`GET ${API}/platform/quota-defaults`, { projects: 10, disk: 5 })
      .json(`GET ${API}/teams/t1/usage`, { items: USAGE, nextCursor: null })
      .on(`PUT ${API}/platform/quota-defaults`, (request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(request.body);
      });
    for (const team of ['t1', 't2']) {
      server.json(`GET ${API}/teams/${team}/quota`, QUOTA).json(`PUT ${API}/teams/${team}/quota`, QUOTA);
    }
  });

  afterEach(async () => {
    await cli[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const sent = (route: string): unknown => JSON.parse(server.calls(route)[0]?.body.toString() ?? 'null');

  it('shows limits, what is used and what is planned', async () => {
    const { stdout, code } = await cli.run(['quota']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^RESOURCE +LIMIT +USED +PLANNED/);
    expect(stdout).toMatch(/^projects +20 +19 +19 +█+░ +by the team$/m);
    expect(stdout).toMatch(/^memory +8 GB +1 GB +1\.5 GB +█+░+ +by the platform$/m);
    expect(stdout).toMatch(/^disk +unlimited +3 MB +-$/m);
    expect(JSON.parse((await cli.run(['quota', 'show', '--json'])).stdout)).toEqual(QUOTA);
  });

  it('sets some limits of any team and keeps the others', async () => {
    expect((await cli.run(['quota', 'set', '--team', 'shop', '--memory', '8G', '--cpu', '0.5', '--disk', 'unlimited'])).code).toBe(0);
    expect(sent(`PUT ${API}/teams/t2/quota`)).toEqual({ projects: 20, memory: 8 * 1024 ** 3, cpu: 0.5, disk: null });
  });

  it('takes limits away', async () => {
    expect((await cli.run(['quota', 'unset', 'projects'])).code).toBe(0);
    expect(sent(`PUT ${API}/teams/t1/quota`)).toEqual({});
  });

  it('shows and changes the defaults of the platform', async () => {
    expect((await cli.run(['quota', 'defaults'])).stdout).toMatch(/^projects +10$/m);
    expect(server.calls(`PUT ${API}/platform/quota-defaults`)).toHaveLength(0);
    const { stdout } = await cli.run(['quota', 'defaults', '--listen-ports', '40', '--unset', 'disk']);
    expect(sent(`PUT ${API}/platform/quota-defaults`)).toEqual({ projects: 10, listenPorts: 40 });
    expect(stdout).toMatch(/^listen-ports +40$/m);
  });

  it.each([
    [['quota', 'set'], 'Nothing to set'],
    [['quota', 'set', '--memory', '8'], 'an amount such as 512M'],
    [['quota', 'set', '--projects', 'many'], 'a whole number'],
    [['quota', 'unset', 'memry'], 'hithe quota unset memory'],
    [['quota', 'sett'], 'hithe quota set'],
    [['usage', '--by', 'projekt'], '--by project'],
    [['usage', '--by', 'team'], '--all-teams'],
  ])('refuses %j with a hint', async (argv, hint) => {
    const { code, stderr } = await cli.run(argv);
    expect(code).toBe(2);
    expect(stderr).toContain(hint);
  });

  it('shows usage in the units of bills', async () => {
    const { stdout } = await cli.run(['usage', '--from', '2026-01-01', '--to', '2026-01-02']);
    expect(stdout).toMatch(/^DAY +CPU HOURS +MEMORY GB·H +STORED GB·H +STORED AT MOST/);
    expect(stdout).toMatch(/^2026-01-01 +2 +12\.35 +48 +2 GB +█{12}$/m);
    const [asked] = server.calls(`GET ${API}/teams/t1/usage`);
    expect(Object.fromEntries(asked?.query ?? [])).toMatchObject({ from: '2026-01-01', to: '2026-01-02', by: 'day' });
    expect(JSON.parse((await cli.run(['usage', '--json'])).stdout)).toEqual(USAGE);
  });

  it('hands CSV through as it is', async () => {
    server.on(`GET ${API}/usage/export`, (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/csv' }).end('day,team\r\n2026-01-01,shop\r\n');
    });
    expect((await cli.run(['usage', '--all-teams', '--csv'])).stdout).toBe('day,team\r\n2026-01-01,shop\r\n');
  });
});
