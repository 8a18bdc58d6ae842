import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { asSystem } from '../../src/common/request-context.js';
import { newId } from '../../src/common/ids.js';
import { UsageReports } from '../../src/modules/usage/usage-reports.js';
import { bearer, type TestUser } from '../support/application.js';
import { TestPlatform } from '../support/platform.js';
import type { ScriptedAgent } from '../support/scripted-agent.js';

const GIGABYTE = 1024 ** 3;
const cache = (resources?: object): object => ({ port: 'valkey', version: '8', ...(resources === undefined ? {} : { resources }) });

interface Line {
  resource: string;
  limit: number | null;
  source: string;
  used: number;
  planned: number | null;
}

describe('quotas', () => {
  let platform: TestPlatform;
  let agent: ScriptedAgent;
  let admin: TestUser;
  let owner: TestUser;
  let stranger: TestUser;

  beforeAll(async () => {
    platform = await TestPlatform.start();
    agent = await platform.agent();
    admin = await platform.application.user('admin@example.org', { platformAdmin: true });
    owner = await platform.application.user('owner@example.org');
    stranger = await platform.application.user('stranger@example.org');
  });

  afterAll(async () => {
    await agent.end();
    await platform.stop();
  });

  const http = (): typeof platform.application.http => platform.application.http;
  const set = (limits: object, user = admin, teamId = owner.teamId) =>
    http().put(`/api/v1/teams/${teamId}/quota`).set(bearer(user)).send(limits);
  const lines = async (user = owner): Promise<Record<string, Line>> => {
    const answer = await http().get(`/api/v1/teams/${owner.teamId}/quota`).set(bearer(user)).expect(200);
    return Object.fromEntries((answer.body as { resources: Line[] }).resources.map((line) => [line.resource, line]));
  };
  const apply = (name: string, components: Record<string, object>, user = owner) =>
    http().put(`/api/v1/teams/${user.teamId}/projects/${name}`).set(bearer(user)).send({ spec: { name, components } });
  const remove = async (name: string, id: string): Promise<void> => {
    const answer = await http().delete(`/api/v1/projects/${id}`).query({ confirm: name, purge: 'true' }).set(bearer(owner)).expect(202);
    await platform.ended(owner, (answer.body as { id: string }).id);
  };

  it('are unlimited and shown as such until somebody sets them', async () => {
    const found = await lines();
    expect(Object.keys(found)).toEqual(['projects', 'components', 'memory', 'cpu', 'disk', 'listenPorts']);
    for (const line of Object.values(found)) expect(line).toMatchObject({ limit: null, source: 'none' });
  });

  it('are set by platform administrators alone, and hidden from strangers', async () => {
    await set({ projects: 3 }, owner).expect(403);
    await set({ projects: 3 }, stranger).expect(404);
    await http().get(`/api/v1/teams/${owner.teamId}/quota`).set(bearer(stranger)).expect(404);
    await http().get('/api/v1/platform/quota-defaults').set(bearer(owner)).expect(403);
    await http().put('/api/v1/platform/quota-defaults').set(bearer(owner)).send({}).expect(403);
    await http().get(`/api/v1/teams/${owner.teamId}/quota`).expect(401);
    const answer = await set({ projects: 3, cpu: null }).expect(200);
    expect(answer.body).toMatchObject({ own: { projects: 3, cpu: null } });
    expect((await lines())['projects']).toMatchObject({ limit: 3, source: 'team' });
    await set({}).expect(200);
    expect((await lines())['projects']).toMatchObject({ limit: null, source: 'none' });
  });

  it.each([[{ projects: -1 }], [{ projects: 1.5 }], [{ memory: '8G' }], [{ cpu: 0.00001 }], [{ pods: 3 }], [{ teamId: newId() }]])(
    'refuse %j',
    async (limits) => {
      await set(limits).expect(400);
    },
  );

  it("of the platform hold where a team has none of its own, and a team's null lifts them", async () => {
    await http().put('/api/v1/platform/quota-defaults').set(bearer(admin)).send({ projects: 2, memory: GIGABYTE }).expect(200);
    expect((await http().get('/api/v1/platform/quota-defaults').set(bearer(admin)).expect(200)).body).toEqual({
      projects: 2,
      memory: GIGABYTE,
    });
    await set({ memory: null }).expect(200);
    expect(await lines()).toMatchObject({ projects: { limit: 2, source: 'platform' }, memory: { limit: null, source: 'team' } });
    await http().put('/api/v1/platform/quota-defaults').set(bearer(admin)).send({}).expect(200);
    await set({}).expect(200);
  });

  it('refuse a plan and a specification with what the team may, has and would add, and whom to ask', async () => {
    const id = await platform.apply(owner, { name: 'first', components: { a: cache(), b: cache() } });
    await set({ components: 3 }).expect(200);
    const spec = { name: 'second', components: { a: cache(), b: cache() } };
    const message = 'Team owner may have 3 components, has 2, this adds 2.';
    const plan = await http().post(`/api/v1/teams/${owner.teamId}/plan`).set(bearer(owner)).send({ spec }).expect(200);
    expect(plan.body).toMatchObject({
      ok: false,
      checks: expect.arrayContaining([
        { check: 'quota', status: 'error', message, fix: expect.stringContaining('platform administrator') },
      ]),
    });
    const refused = await apply('second', spec.components).expect(429);
    expect(refused.body).toMatchObject({ code: 'QUOTA_EXCEEDED', detail: message, fix: expect.stringContaining('--components 4') });
    await http().get('/api/v1/projects').query({ name: 'second' }).set(bearer(owner)).expect(200, { items: [], nextCursor: null });
    const fits = await http()
      .post(`/api/v1/teams/${owner.teamId}/plan`)
      .set(bearer(owner))
      .send({ spec: { name: 'second', components: { a: cache() } } });
    expect((fits.body as { checks: object[] }).checks).toContainEqual(expect.objectContaining({ check: 'quota', status: 'ok' }));
    await set({}).expect(200);
    await remove('first', id);
  });

  it('count memory, cores and listen ports as hithe.yaml asks for them, else as the port does', async () => {
    const id = await platform.apply(owner, {
      name: 'sized',
      components: { own: cache({ memory: '1.5G', cpu: 0.25 }), ports: cache() },
    });
    const found = await lines();
    expect(found).toMatchObject({
      projects: { used: 1, planned: 1 },
      components: { used: 0, planned: 2 },
      memory: { used: 0, planned: 1.75 * GIGABYTE },
      listenPorts: { used: 0, planned: 2 },
    });
    expect(await platform.run(owner, id, 'deploy')).toMatchObject({ state: 'succeeded' });
    expect(await lines()).toMatchObject({ components: { used: 2 }, memory: { used: 1.75 * GIGABYTE }, listenPorts: { used: 2 } });
    await set({ memory: 2 * GIGABYTE }).expect(200);
    const refused = await apply('sized', { own: cache({ memory: '2G' }), ports: cache() }).expect(429);
    expect(refused.body).toMatchObject({ detail: 'Team owner may ask for 2 GB of memory, has 1.75 GB, this adds 512 MB.' });
    await apply('sized', { own: cache({ memory: '2 GB' }) }).expect(400);
    await set({}).expect(200);
    await remove('sized', id);
    expect(await lines()).toMatchObject({ components: { used: 0, planned: 0 }, memory: { used: 0, planned: 0 } });
  });

  it('that are lowered stop growth, and nothing that runs', async () => {
    const running = await platform.apply(owner, { name: 'running', components: { a: cache(), b: cache() } });
    await platform.run(owner, running, 'deploy');
    const waiting = await platform.apply(owner, { name: 'waiting', components: { a: cache() } });
    await set({ components: 1 }).expect(200);
    expect(await platform.run(owner, running, 'deploy')).toMatchObject({ state: 'succeeded' });
    expect(await platform.run(owner, running, 'restart')).toMatchObject({ state: 'succeeded' });
    await apply('running', { a: cache(), b: cache(), c: cache() }).expect(429);
    const refused = await http().post(`/api/v1/projects/${waiting}/deployments`).set(bearer(owner)).send({ kind: 'deploy' }).expect(429);
    expect(refused.body).toMatchObject({ code: 'QUOTA_EXCEEDED', detail: 'Team owner may have 1 component, has 2, this adds 1.' });
    await set({}).expect(200);
    expect(await platform.run(owner, waiting, 'deploy')).toMatchObject({ state: 'succeeded' });
    await remove('waiting', waiting);
    await remove('running', running);
  });

  it('let exactly as many through as there is room for, when all come at once', async () => {
    await set({ projects: 3 }).expect(200);
    const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => apply(`race-${index}`, { a: cache() })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 429, 429, 429, 429, 429]);
    expect((await lines())['projects']).toMatchObject({ used: 3, limit: 3 });
    await set({}).expect(200);
    for (const { body, status } of answers) {
      const { id, name } = body as { id: string; name: string };
      if (status === 201) await remove(name, id);
    }
  });

  it('let exactly as many deployments of one team through as there is room for, when all come at once', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 6; index += 1)
      ids.push(await platform.apply(owner, { name: `burst-${index}`, components: { a: cache({ memory: '512M' }) } }));
    // As though their port had asked for no memory yet when they were applied: only now do they ask for it.
    const asked = await asSystem('test', () =>
      platform.application.app
        .get(DataSource)
        .query<[object[], number]>('UPDATE project_demands SET memory = 0 WHERE team_id = $1', [owner.teamId]),
    );
    expect(asked[1]).toBe(ids.length);
    await set({ memory: GIGABYTE }).expect(200);
    const answers = await Promise.all(
      ids.map((id) => http().post(`/api/v1/projects/${id}/deployments`).set(bearer(owner)).send({ kind: 'deploy' })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 202, 429, 429, 429, 429]);
    for (const { body, status } of answers) if (status === 202) await platform.ended(owner, (body as { id: string }).id);
    expect((await lines())['memory']).toMatchObject({ limit: GIGABYTE, used: GIGABYTE, planned: GIGABYTE });
    await set({}).expect(200);
    for (const [index, id] of ids.entries()) await remove(`burst-${index}`, id);
  });

  it('on disk stop a deployment while too much is stored', async () => {
    const id = await platform.apply(owner, { name: 'full', components: { a: cache() } });
    await store(owner.teamId, id, 2 * GIGABYTE);
    await set({ disk: GIGABYTE }).expect(200);
    expect((await lines())['disk']).toMatchObject({ limit: GIGABYTE, used: 2 * GIGABYTE, planned: null });
    const refused = await http().post(`/api/v1/projects/${id}/deployments`).set(bearer(owner)).send({ kind: 'deploy' }).expect(429);
    expect(refused.body).toMatchObject({
      detail: 'Team owner may store 1 GB and stores 2 GB.',
      fix: expect.stringContaining('Delete data'),
    });
    await store(owner.teamId, id, GIGABYTE / 2);
    expect(await platform.run(owner, id, 'deploy')).toMatchObject({ state: 'succeeded' });
    await set({}).expect(200);
    await remove('full', id);
  });

  it('leave a trace of who changed them, and what they were', async () => {
    await set({ projects: 7 }).expect(200);
    await http().put('/api/v1/platform/quota-defaults').set(bearer(admin)).send({ cpu: 4 }).expect(200);
    const events = await asSystem('test', () =>
      platform.application.app
        .get(DataSource)
        .query<object[]>(
          `SELECT action, actor_id, team_id, before, after FROM audit_events WHERE action LIKE 'quota%' ORDER BY seq DESC LIMIT 2`,
        ),
    );
    expect(events).toMatchObject([
      { action: 'quota-defaults.changed', actor_id: admin.id, team_id: null, after: { cpu: 4 } },
      { action: 'quota.changed', actor_id: admin.id, team_id: owner.teamId, before: {}, after: { projects: 7 } },
    ]);
  });

  /** A node says how much a component stores. */
  async function store(teamId: string, projectId: string, bytes: number): Promise<void> {
    const [team] = await asSystem('test', () =>
      platform.application.app.get(DataSource).query<{ number: number }[]>('SELECT number FROM teams WHERE id = $1', [teamId]),
    );
    const entry = {
      tenant: team?.number ?? 0,
      ...{ projectId, project: 'full', component: 'a', day: new Date().toISOString().slice(0, 10) },
      ...{ cpuSeconds: 0, memoryByteSeconds: 0, storedByteSeconds: 0, storedMostBytes: bytes },
      stored: { bytes, at: new Date().toISOString() },
    };
    const reports = platform.application.app.get(UsageReports, { strict: false });
    await asSystem('test', () => reports.record(platform.nodeId, { stream: newId(), sequence: 1, entries: [entry] }));
  }
});
