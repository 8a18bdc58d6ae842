import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { newId } from '../../src/common/ids.js';
import { asSystem } from '../../src/common/request-context.js';
import type { UsageEntry, UsageReport } from '../../src/link/messages.js';
import { bearer, type TestUser } from '../support/application.js';
import { TestPlatform } from '../support/platform.js';
import type { ScriptedAgent } from '../support/scripted-agent.js';
import { until } from '../support/until.js';

const GIGABYTE = 2 ** 30;
const SHOP = newId();
const BLOG = newId();

interface Row {
  day?: string;
  team?: string;
  project?: string;
  component?: string;
  cpuSeconds: number;
  memoryGbHours: number;
  storedGbHours: number;
  storedMostBytes: number;
}

describe('usage', () => {
  let platform: TestPlatform;
  let agent: ScriptedAgent;
  let admin: TestUser;
  let owner: TestUser;
  let other: TestUser;
  let numbers: Map<string, number>;
  const stream = newId();
  let sequence = 0;

  beforeAll(async () => {
    platform = await TestPlatform.start();
    agent = await platform.agent();
    admin = await platform.application.user('admin@example.org', { platformAdmin: true });
    owner = await platform.application.user('owner@example.org');
    other = await platform.application.user('other@example.org');
    const teams = await asSystem('test', () =>
      platform.application.app.get(DataSource).query<{ id: string; number: number }[]>('SELECT id, number FROM teams'),
    );
    numbers = new Map(teams.map(({ id, number }) => [id, number]));
    await report(
      entry(owner, SHOP, 'shop', 'web', '2026-01-01', { cpuSeconds: 10, memoryByteSeconds: 3_600 * GIGABYTE, storedMostBytes: 5 }),
      entry(owner, SHOP, 'shop', 'web', '2026-01-02', { cpuSeconds: 20, storedByteSeconds: 7_200 * GIGABYTE, storedMostBytes: 7 }),
      entry(owner, SHOP, 'shop', 'db', '2026-01-02', { cpuSeconds: 1, storedMostBytes: 4 }),
      entry(owner, BLOG, '=blog', 'web', '2026-01-31', { cpuSeconds: 2 }),
      entry(other, newId(), 'theirs', 'web', '2026-01-02', { cpuSeconds: 100 }),
    );
  });

  afterAll(async () => {
    await agent.end();
    await platform.stop();
  });

  function entry(
    user: TestUser,
    projectId: string,
    project: string,
    component: string,
    day: string,
    amounts: Partial<UsageEntry>,
  ): UsageEntry {
    const nothing = { cpuSeconds: 0, memoryByteSeconds: 0, storedByteSeconds: 0, storedMostBytes: 0 };
    return { tenant: numbers.get(user.teamId) ?? 0, projectId, project, component, day, ...nothing, ...amounts };
  }

  /** Sends a report over the link and waits until it is confirmed. */
  async function report(...entries: UsageEntry[]): Promise<UsageReport> {
    sequence += 1;
    const sent = { stream, sequence, entries };
    await send(sent);
    return sent;
  }

  async function send(sent: UsageReport): Promise<void> {
    const confirmed = (): number =>
      agent.received.filter((message) => message.type === 'usage-confirmed' && message.sequence === sent.sequence).length;
    const before = confirmed();
    agent.send({ type: 'usage', report: sent });
    await until(() => confirmed() > before);
  }

  const JANUARY = { from: '2026-01-01', to: '2026-01-31' };
  const get = (user: TestUser, path: string, query: object = {}) =>
    platform.application.http
      .get(`/api/v1${path}`)
      .query({ ...JANUARY, ...query })
      .set(bearer(user));
  const rows = async (user: TestUser, path: string, query: object = {}): Promise<Row[]> =>
    ((await get(user, path, query).expect(200)).body as { items: Row[] }).items;
  const ofTeam = (): string => `/teams/${owner.teamId}/usage`;

  it('is summed up by day, project and component, in the units of bills', async () => {
    expect(await rows(owner, ofTeam())).toEqual([
      { day: '2026-01-01', cpuSeconds: 10, memoryGbHours: 1, storedGbHours: 0, storedMostBytes: 5 },
      { day: '2026-01-02', cpuSeconds: 21, memoryGbHours: 0, storedGbHours: 2, storedMostBytes: 11 },
      { day: '2026-01-31', cpuSeconds: 2, memoryGbHours: 0, storedGbHours: 0, storedMostBytes: 0 },
    ]);
    expect(await rows(owner, ofTeam(), { by: 'project' })).toEqual([
      expect.objectContaining({ project: 'shop', projectId: SHOP, teamId: owner.teamId, cpuSeconds: 31, storedMostBytes: 11 }),
      expect.objectContaining({ project: '=blog', cpuSeconds: 2 }),
    ]);
    expect(
      (await rows(owner, ofTeam(), { by: 'component' })).map(({ project, component, cpuSeconds }) => [project, component, cpuSeconds]),
    ).toEqual([
      ['shop', 'db', 1],
      ['shop', 'web', 30],
      ['=blog', 'web', 2],
    ]);
  });

  it('counts a report once, however often and in whatever order it comes', async () => {
    const day = '2025-06-01';
    const first = await report(entry(owner, SHOP, 'shop', 'web', day, { cpuSeconds: 5 }));
    await send(first);
    const second = await report(entry(owner, SHOP, 'shop', 'web', day, { cpuSeconds: 7 }));
    await send(first);
    await send(second);
    expect(await rows(owner, ofTeam(), { from: day, to: day })).toMatchObject([{ cpuSeconds: 12 }]);
    agent.send({ type: 'usage', report: { stream: newId(), sequence: 1, entries: second.entries } });
    await until(async () => (await rows(owner, ofTeam(), { from: day, to: day }))[0]?.cpuSeconds === 19);
  });

  it('pages through long lists', async () => {
    const query = { by: 'component', limit: 2 };
    const first = (await get(owner, ofTeam(), query).expect(200)).body as { items: Row[]; nextCursor: string };
    expect(first.items).toHaveLength(2);
    const second = (await get(owner, ofTeam(), { ...query, cursor: first.nextCursor }).expect(200)).body as {
      items: Row[];
      nextCursor: null;
    };
    expect(second).toMatchObject({ items: [{ project: '=blog' }], nextCursor: null });
    await get(owner, ofTeam(), { cursor: 'bm90IG91cnM' }).expect(400);
  });

  it('is for members of the team and platform administrators; of all teams, for the latter alone', async () => {
    await get(other, ofTeam()).expect(404);
    await get(other, `${ofTeam()}/export`).expect(404);
    await platform.application.http.get(`/api/v1${ofTeam()}`).expect(401);
    for (const path of ['/usage', '/usage/export']) await get(owner, path).expect(403);
    expect(await rows(admin, ofTeam())).toHaveLength(3);
    expect((await rows(admin, '/usage')).map(({ team, cpuSeconds }) => [team, cpuSeconds])).toEqual(
      expect.arrayContaining([
        ['owner', 33],
        ['other', 100],
      ]),
    );
  });

  it('is of the projects alone that one may see', async () => {
    const { http } = platform.application;
    const day = '2025-07-01';
    const seen = await platform.apply(owner, { name: 'seen', components: { db: { port: 'postgres' } } });
    await report(entry(owner, seen, 'seen', 'db', day, { cpuSeconds: 3 }), entry(owner, SHOP, 'shop', 'web', day, { cpuSeconds: 4 }));
    const token = (
      await http
        .post('/api/v1/me/tokens')
        .set(bearer(owner))
        .send({ name: 'narrow', scopes: [`read:${seen}`] })
        .expect(201)
    ).body as { token: string };
    const narrow = { ...owner, accessToken: token.token };
    expect(await rows(owner, ofTeam(), { from: day, to: day, by: 'project' })).toHaveLength(2);
    expect(await rows(narrow, ofTeam(), { from: day, to: day, by: 'project' })).toMatchObject([{ project: 'seen' }]);
    expect(await rows(narrow, ofTeam(), { from: day, to: day })).toMatchObject([{ cpuSeconds: 3 }]);
    const exported = (await get(narrow, `${ofTeam()}/export`, { from: day, to: day }).expect(200)).text;
    expect(exported).toContain('seen');
    expect(exported).not.toContain('shop');
  });

  it.each([
    [{ from: 'yesterday' }],
    [{ from: '2026-02-30' }],
    [{ from: '2026-02-01', to: '2026-01-01' }],
    [{ from: '2020-01-01', to: '2026-01-01' }],
    [{ by: 'team' }],
    [{ teamId: newId() }],
  ])('refuses %j', async (query) => {
    await get(owner, ofTeam(), query).expect(400);
  });

  it('is exported as CSV that no spreadsheet runs, and as lines of JSON', async () => {
    const csv = await get(owner, `${ofTeam()}/export`)
      .expect(200)
      .expect('Content-Type', /text\/csv/);
    const [head, ...lines] = csv.text.trimEnd().split('\r\n');
    expect(head).toBe('day,team,teamId,project,projectId,component,cpuSeconds,memoryGbHours,storedGbHours,storedMostBytes');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toBe(`2026-01-01,owner,${owner.teamId},shop,${SHOP},web,10,1,0,5`);
    expect(lines[3]).toContain("'=blog");
    const json = await get(admin, '/usage/export', { format: 'jsonl' }).expect(200);
    const all = bodyText(json)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Row);
    expect(all).toHaveLength(5);
    expect(all).toContainEqual(expect.objectContaining({ team: 'other', project: 'theirs', day: '2026-01-02', cpuSeconds: 100 }));
  });
});

/** Lines of JSON are no type that the test library reads as text. */
function bodyText({ text, body }: { text?: string; body: unknown }): string {
  return text ?? (body as Buffer).toString();
}
