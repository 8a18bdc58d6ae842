import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { LINK_PATH } from '../../src/link/messages.js';
import { NodesService } from '../../src/modules/nodes/nodes.service.js';
import { bearer, type TestUser } from '../support/application.js';
import { guestbook, TestPlatform } from '../support/platform.js';
import { obedient, ScriptedAgent } from '../support/scripted-agent.js';
import { until } from '../support/until.js';

const LINE = { component: 'web', allocationId: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' };

describe('the link', () => {
  let platform: TestPlatform;
  let user: TestUser;
  let admin: TestUser;
  const agents: ScriptedAgent[] = [];

  beforeAll(async () => {
    platform = await TestPlatform.start();
    user = await platform.application.user('user@example.org');
    admin = await platform.application.user('admin@example.org', { platformAdmin: true });
  });

  afterEach(async () => {
    for (const agent of agents.splice(0)) await agent.end();
  });

  afterAll(async () => {
    await platform.stop();
  });

  async function connect(options: Parameters<typeof ScriptedAgent.connect>[2] = {}): Promise<ScriptedAgent> {
    const agent = await ScriptedAgent.connect(await platform.url(), platform.credential, options);
    agents.push(agent);
    return agent;
  }

  async function deployed(name: string): Promise<{ agent: ScriptedAgent; projectId: string }> {
    const agent = await connect();
    const projectId = await platform.apply(user, { ...guestbook(await platform.upload(user, name)), name });
    expect(await platform.run(user, projectId, 'deploy')).toMatchObject({ state: 'succeeded' });
    return { agent, projectId };
  }

  it('is refused without a credential, and elsewhere than on its path', async () => {
    const url = (await platform.url()).replace(/^http/, 'ws');
    const refusal = (address: string): Promise<string> =>
      new Promise((resolve) =>
        new WebSocket(address, { headers: { Authorization: 'Bearer nonsense' } }).once('error', (error) => {
          resolve(error.message);
        }),
      );
    expect(await refusal(`${url}${LINK_PATH}`)).toContain('401');
    expect(await refusal(`${url}/elsewhere`)).toContain('404');
  });

  it('is refused, with a clear reason, to another protocol, to nonsense and to a missing hello', async () => {
    const other = await connect({ hello: { protocol: 3, shape: 'of the future' } });
    expect(other.received).toEqual([
      {
        type: 'refused',
        reason: "This agent speaks version 3 of the link's protocol, the control plane version 2. Update the older of the two.",
      },
    ]);
    const wrong = await connect({ hello: { node: { hostname: 1 } } });
    expect(wrong.received[0]).toMatchObject({ type: 'refused', reason: expect.stringContaining('node.hostname') });
    const rude = await connect();
    rude.raw('not json');
    await until(() => rude.closed !== undefined);
    expect(rude.closed?.code).toBe(4001);
  });

  it('tells health and nodes the truth', async () => {
    const health = async (): Promise<Record<string, { ok: boolean }>> =>
      (
        (await platform.application.http.get('/api/v1/health')).body as {
          components?: Record<string, { ok: boolean }>;
          checks?: Record<string, { ok: boolean }>;
        }
      ).checks ?? {};
    const node = async (): Promise<{ connected: boolean }> =>
      (await platform.application.http.get(`/api/v1/nodes/${platform.nodeId}`).set(bearer(admin)).expect(200)).body as {
        connected: boolean;
      };
    const agent = await connect();
    expect(await node()).toMatchObject({ connected: true, isolation: { ok: true, mode: 'root' } });
    await agent.end();
    await until(async () => !(await node()).connected);
    expect(typeof (await health())).toBe('object');
  });

  it('belongs to the newest agent of a node', async () => {
    const first = await connect();
    const second = await connect();
    await until(() => first.closed !== undefined);
    expect(first.closed?.code).toBe(4002);
    expect(second.closed).toBeUndefined();
  });

  it('loses its right with a new credential', async () => {
    const nodes = platform.application.app.get(NodesService, { strict: false });
    const spare = await nodes.register('spare');
    const renewed = await nodes.register('spare');
    expect(renewed.nodeId).toBe(spare.nodeId);
    expect(await nodes.byCredential(spare.credential)).toBeNull();
    expect((await nodes.byCredential(renewed.credential))?.id).toBe(spare.nodeId);
  });

  it('states everything anew after a break', async () => {
    const { agent } = await deployed('broken-line');
    const wanted = JSON.stringify(agent.desired);
    agent.vanish();
    const back = await connect();
    expect(JSON.stringify(back.desired)).toBe(wanted);
  });

  it("drops what answers an older epoch, and what is not the node's", async () => {
    const { agent, projectId } = await deployed('late');
    const wanted = agent.wanted('web');
    agent.send({
      type: 'observed',
      generation: 1,
      full: false,
      allocations: [{ id: wanted.id, epoch: 0, restartNonce: 0, state: 'failed', health: 'unhealthy', restarts: 9 }],
    });
    agent.send({
      type: 'observed',
      generation: 1,
      full: false,
      allocations: [{ id: projectId, epoch: 9, restartNonce: 0, state: 'failed', health: 'unhealthy', restarts: 9 }],
    });
    agent.report('db', { state: 'running', health: 'unhealthy', healthMessage: 'no answer' });
    await until(async () => (await platform.status(user, projectId)).health === 'unhealthy');
    expect((await platform.status(user, projectId)).components.map((component) => component.health)).toEqual([
      'unhealthy',
      'healthy',
      'healthy',
    ]);
  });

  it('says that health is not known while the node is away', async () => {
    const { agent, projectId } = await deployed('away');
    await agent.end();
    await until(async () => (await platform.status(user, projectId)).health === 'unknown');
    expect((await platform.status(user, projectId)).components[0]).toMatchObject({
      state: 'running',
      health: 'unknown',
      healthMessage: expect.stringContaining('not connected'),
    });
  });

  it('gives a node the archives of its own allocations alone', async () => {
    const { agent } = await deployed('archives');
    const source = agent.wanted('web').source;
    const digest = source?.kind === 'archive' ? source.digest : '';
    const unused = await platform.upload(user, 'never deployed');
    const node = { Authorization: `Bearer ${platform.credential}` };
    const { http } = platform.application;
    const answer = await http.get(`/api/v1/node/sources/${digest}`).set(node).buffer(true).expect(200);
    expect(answer.headers['content-type']).toBe('application/gzip');
    expect(Number(answer.headers['content-length'])).toBeGreaterThan(0);
    await http.get(`/api/v1/node/sources/${unused}`).set(node).expect(404);
    await http.get(`/api/v1/node/sources/${digest}`).set(bearer(user)).expect(401);
    await http.get('/api/v1/me').set(node).expect(401);
  });

  describe('for logs', () => {
    it('carries past lines', async () => {
      const { agent, projectId } = await deployed('past');
      agent.onLog = (streamId, query) => {
        expect(query).toEqual({ projectId, component: 'web', lines: 2, follow: false });
        agent.send({ type: 'log-lines', streamId, lines: [{ ...LINE, at: '2026-01-01T00:00:00.000001Z', text: 'one' }] });
        agent.send({ type: 'log-lines', streamId, lines: [{ ...LINE, at: '2026-01-01T00:00:00.000002Z', text: 'two' }] });
        agent.send({ type: 'log-end', streamId });
      };
      const answer = await platform.application.http
        .get(`/api/v1/projects/${projectId}/logs`)
        .query({ component: 'web', lines: 2 })
        .set(bearer(user))
        .expect(200);
      expect((answer.body as { items: { text: string }[] }).items.map((line) => line.text)).toEqual(['one', 'two']);
      await platform.application.http.get(`/api/v1/projects/${projectId}/logs`).query({ component: 'wbe' }).set(bearer(user)).expect(400);
    });

    it('follows, resumes after a line, and stops on the node when the reader leaves', async () => {
      const { agent, projectId } = await deployed('followed');
      let stream = '';
      let asked: object = {};
      agent.onLog = (streamId, query) => {
        stream = streamId;
        asked = query;
        agent.send({ type: 'log-lines', streamId, lines: [{ ...LINE, at: '2026-01-01T00:00:00.000003Z', text: 'three' }] });
      };
      const leave = new AbortController();
      const headers = { ...bearer(user), 'Last-Event-ID': '2026-01-01T00:00:00.000002Z' };
      const answer = await fetch(`${await platform.url()}/api/v1/projects/${projectId}/logs?follow=true&lines=0`, {
        headers,
        signal: leave.signal,
      });
      expect(answer.headers.get('content-type')).toContain('text/event-stream');
      const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      while (!text.includes('three')) text += (await reader?.read())?.value ?? '';
      expect(text).toContain('id: 2026-01-01T00:00:00.000003Z\nevent: line\n');
      expect(asked).toMatchObject({ follow: true, lines: 0, after: '2026-01-01T00:00:00.000002Z' });
      leave.abort();
      await until(() => agent.received.some((message) => message.type === 'log-close' && message.streamId === stream));
    });

    it('says so when the node is away or cannot read', async () => {
      const { agent, projectId } = await deployed('unreadable');
      agent.onLog = (streamId) => {
        agent.send({ type: 'log-end', streamId, error: 'disk on fire' });
      };
      const { http } = platform.application;
      expect((await http.get(`/api/v1/projects/${projectId}/logs`).set(bearer(user)).expect(503)).body).toMatchObject({
        code: 'LOGS_UNAVAILABLE',
      });
      await agent.end();
      await until(
        async () =>
          ((await http.get(`/api/v1/projects/${projectId}/logs`).set(bearer(user))).body as { code: string }).code === 'NODE_NOT_CONNECTED',
      );
    });
  });

  describe('for plans', () => {
    it('asks the node who listens and what is installed', async () => {
      const agent = await connect();
      agent.planFacts = {
        listeners: [{ address: '0.0.0.0', port: 8080, uid: 0, pid: 42, process: 'nginx' }],
        closures: [{ port: 'postgres', version: '17', installed: true, resolvedVersion: '17.6' }],
      };
      const spec = { ...guestbook(await platform.upload(user, 'planned'), { web: { listen: { http: 8080 } } }), name: 'planned' };
      const plan = (await platform.application.http.post(`/api/v1/teams/${user.teamId}/plan`).set(bearer(user)).send({ spec }).expect(200))
        .body as { ok: boolean; versions: object[]; checks: object[]; changes: object[] };
      expect(plan.ok).toBe(false);
      expect(plan.checks).toContainEqual(
        expect.objectContaining({ check: 'listen', status: 'error', message: expect.stringContaining('nginx') }),
      );
      expect(plan.versions).toContainEqual({ component: 'db', port: 'postgres', version: '17', resolvedVersion: '17.6', installed: true });
      expect(plan.changes).toHaveLength(3);
      const found = await platform.application.http.get('/api/v1/projects').query({ name: 'planned' }).set(bearer(user)).expect(200);
      expect((found.body as { items: object[] }).items).toEqual([]);
      const projectId = await platform.apply(user, spec);
      const refused = await platform.application.http
        .post(`/api/v1/projects/${projectId}/deployments`)
        .set(bearer(user))
        .send({ kind: 'deploy' })
        .expect(409);
      expect(refused.body).toMatchObject({ code: 'LISTEN_PORT_TAKEN' });
      expect(agent.desired.filter((wanted) => wanted.project === 'planned')).toEqual([]);
    });

    it('leases no network port that a stranger holds', async () => {
      const agent = await connect({ script: obedient });
      const strangers = Array.from({ length: 300 }, (_, index) => 35_000 + index);
      agent.planFacts = { listeners: strangers.map((port) => ({ address: '127.0.0.1', port, uid: 0 })), closures: [] };
      const projectId = await platform.apply(user, { ...guestbook(await platform.upload(user, 'polite')), name: 'polite' });
      expect(await platform.run(user, projectId, 'deploy')).toMatchObject({ state: 'succeeded' });
      const ports = agent.desired
        .filter((wanted) => wanted.project === 'polite')
        .flatMap((wanted) => Object.values(wanted.listen).map((listen) => listen.port));
      expect(ports.every((port) => port >= 35_300)).toBe(true);
    });

    it('warns when no node answers', async () => {
      const spec = { ...guestbook(await platform.upload(user, 'alone')), name: 'alone' };
      await until(async () => {
        const plan = (
          await platform.application.http.post(`/api/v1/teams/${user.teamId}/plan`).set(bearer(user)).send({ spec }).expect(200)
        ).body as { checks: { check: string; status: string }[] };
        return plan.checks.some((check) => check.check === 'node' && check.status === 'warn');
      });
    });
  });
});
