import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { TestUser } from '../support/application.js';
import { guestbook, TestPlatform } from '../support/platform.js';
import { obedient, type ScriptedAgent } from '../support/scripted-agent.js';
import { until } from '../support/until.js';

describe('deployments', () => {
  let platform: TestPlatform;
  let user: TestUser;
  let agent: ScriptedAgent;
  let projectId: string;
  let one: string;
  let two: string;
  let count = 0;

  beforeAll(async () => {
    platform = await TestPlatform.start();
  });

  beforeEach(async () => {
    count += 1;
    user = await platform.application.user(`user${count}@example.org`);
    one = await platform.upload(user, 'one');
    two = await platform.upload(user, 'two');
    agent = await platform.agent();
  });

  afterEach(async () => {
    agent.script = obedient;
    agent.again();
    await platform.application.http
      .delete(`/api/v1/projects/${projectId}`)
      .query({ confirm: 'guestbook' })
      .set({ Authorization: `Bearer ${user.accessToken}` });
    await until(() => agent.desired.length === 0);
    await agent.end();
  });

  afterAll(async () => {
    await platform.stop();
  });

  async function deployed(): Promise<void> {
    projectId = await platform.apply(user, guestbook(one));
    expect(await platform.run(user, projectId, 'deploy')).toMatchObject({ state: 'succeeded', release: 1 });
  }

  it('bring a new project up in the order of its needs', async () => {
    await deployed();
    const starts = agent.received.flatMap((message) =>
      message.type === 'desired'
        ? [
            message.allocations
              .filter((wanted) => wanted.desired === 'running')
              .map((wanted) => wanted.component)
              .sort()
              .join(),
          ]
        : [],
    );
    expect([...new Set(starts)]).toEqual(['', 'cache,db', 'cache,db,web']);
    const status = await platform.status(user, projectId);
    expect(status).toMatchObject({ state: 'running', health: 'healthy', release: 1 });
    expect(status.components.map((component) => [component.name, component.state, component.health])).toEqual([
      ['db', 'running', 'healthy'],
      ['cache', 'running', 'healthy'],
      ['web', 'running', 'healthy'],
    ]);
  });

  it('give a node what it needs to run a component, generated secrets included', async () => {
    await deployed();
    const db = agent.wanted('db');
    const web = agent.wanted('web');
    expect(db).toMatchObject({
      port: 'postgres',
      version: '17',
      project: 'guestbook',
      vars: { POSTGRES_DB: 'guestbook' },
      listen: { sql: { address: '127.0.0.1' } },
    });
    expect(db.vars['POSTGRES_PASSWORD']).toMatch(/^[\w-]{32}$/);
    expect(web.needs).toEqual({ db: db.id, cache: agent.wanted('cache').id });
    expect(web).toMatchObject({ env: { DATABASE_URL: '${db.POSTGRES_URL}' }, source: { kind: 'archive', digest: one } });
    const ports = agent.desired.flatMap((wanted) => Object.values(wanted.listen).map((listen) => listen.port));
    expect(new Set(ports).size).toBe(3);
  });

  it('touch nothing when nothing changed', async () => {
    await deployed();
    const before = JSON.stringify(agent.desired);
    const again = await platform.run(user, projectId, 'deploy');
    expect(again).toMatchObject({ state: 'succeeded', release: 1, components: [] });
    expect(JSON.stringify(agent.desired)).toBe(before);
  });

  it('replace only what changed, on the same network port, and end the old', async () => {
    await deployed();
    const before = { db: agent.wanted('db'), web: agent.wanted('web') };
    await platform.apply(user, guestbook(two));
    const result = await platform.run(user, projectId, 'deploy');
    expect(result).toMatchObject({ state: 'succeeded', release: 2, components: ['web'] });
    expect(agent.wanted('db')).toEqual(before.db);
    expect(agent.wanted('web').id).not.toBe(before.web.id);
    expect(agent.wanted('web').listen).toEqual(before.web.listen);
    await until(() => JSON.stringify(agent.wants()) === JSON.stringify({ db: ['running'], cache: ['running'], web: ['running'] }));
    const both = agent.received.flatMap((message) =>
      message.type === 'desired'
        ? [message.allocations.filter((wanted) => wanted.component === 'web' && wanted.desired === 'running').length]
        : [],
    );
    expect(Math.max(...both)).toBe(1);
  });

  it('leave the old running when a build fails, and say where, how and what to do', async () => {
    await deployed();
    const before = agent.wanted('web');
    agent.script = (wanted) =>
      wanted.source?.kind === 'archive' && wanted.source.digest === two && wanted.desired !== 'removed'
        ? { state: 'failed', step: 'build', exit: { code: 1 }, message: 'build.sh exited with code 1', logTail: ['npm error code E404'] }
        : obedient(wanted);
    await platform.apply(user, guestbook(two));
    const result = await platform.run(user, projectId, 'deploy');
    expect(result.state).toBe('failed');
    expect(result.failure).toMatchObject({
      component: 'web',
      step: 'build',
      exitCode: 1,
      message: 'build.sh exited with code 1',
      logTail: ['npm error code E404'],
      fix: expect.stringContaining('build'),
    });
    await until(() => agent.wants()['web']?.join() === 'running');
    expect(agent.wanted('web')).toEqual(before);
    expect(await platform.status(user, projectId)).toMatchObject({ state: 'running', health: 'healthy', release: 1 });
  });

  it('return to the old when the new ends after its start', async () => {
    await deployed();
    const before = agent.wanted('web');
    agent.script = (wanted) =>
      wanted.source?.kind === 'archive' && wanted.source.digest === two && wanted.desired === 'running'
        ? { state: 'restarting', restarts: 1, exit: { code: 127 }, logTail: ['sh: serve: not found'] }
        : obedient(wanted);
    await platform.apply(user, guestbook(two));
    const result = await platform.run(user, projectId, 'deploy');
    expect(result).toMatchObject({
      state: 'rolled_back',
      failure: { component: 'web', step: 'start', exitCode: 127, logTail: ['sh: serve: not found'] },
    });
    await until(() => agent.wants()['web']?.join() === 'running');
    expect(agent.wanted('web').id).toBe(before.id);
    expect(await platform.status(user, projectId)).toMatchObject({ state: 'running', health: 'healthy', release: 1 });
  });

  it('return to the old when the new is not healthy by its deadline', async () => {
    await deployed();
    agent.script = (wanted) =>
      wanted.release === 2 && wanted.desired === 'running'
        ? { state: 'running', health: 'unhealthy', healthMessage: 'no answer on /' }
        : obedient(wanted);
    await platform.apply(user, guestbook(two, { web: { health: { deadline: 0.2 } } }));
    const result = await platform.run(user, projectId, 'deploy');
    expect(result).toMatchObject({
      state: 'rolled_back',
      failure: { component: 'web', step: 'verify', message: expect.stringContaining('no answer on /') },
    });
  });

  it('stop, tell the effect, and start again', async () => {
    await deployed();
    expect(await platform.run(user, projectId, 'stop', ['cache'])).toMatchObject({ state: 'succeeded', components: ['cache'] });
    const status = await platform.status(user, projectId);
    expect(status).toMatchObject({ state: 'running', health: 'unhealthy' });
    expect(status.components[1]).toMatchObject({ name: 'cache', state: 'stopped', health: 'stopped', healthMessage: 'stopped on request' });
    expect(status.components[2]?.effect).toContain('cache');
    expect(await platform.run(user, projectId, 'start', ['cache'])).toMatchObject({ state: 'succeeded' });
    expect(await platform.status(user, projectId)).toMatchObject({ health: 'healthy' });
    expect(await platform.run(user, projectId, 'stop')).toMatchObject({ state: 'succeeded', components: ['db', 'cache', 'web'] });
    expect(await platform.status(user, projectId)).toMatchObject({ state: 'stopped', health: 'stopped' });
    expect(await platform.run(user, projectId, 'start')).toMatchObject({ state: 'succeeded', components: ['db', 'cache', 'web'] });
  });

  it('restart one component by its nonce alone', async () => {
    await deployed();
    const before = agent.wanted('web');
    expect(await platform.run(user, projectId, 'restart', ['web'])).toMatchObject({ state: 'succeeded', components: ['web'] });
    expect(agent.wanted('web')).toMatchObject({ id: before.id, restartNonce: before.restartNonce + 1, desired: 'running' });
  });

  it('start what has failed by itself', async () => {
    await deployed();
    agent.report('web', { state: 'failed', message: 'exited 3 times', exit: { code: 1 } });
    await until(async () => (await platform.status(user, projectId)).state === 'failed');
    expect(await platform.run(user, projectId, 'start')).toMatchObject({ state: 'succeeded', components: ['web'] });
    expect(await platform.status(user, projectId)).toMatchObject({ state: 'running', health: 'healthy' });
  });

  it('restart a dependant whose addresses change', async () => {
    await deployed();
    const before = agent.wanted('web');
    await platform.apply(user, guestbook(one, { db: { vars: { POSTGRES_DB: 'other' } } }));
    expect(await platform.run(user, projectId, 'deploy')).toMatchObject({ state: 'succeeded', components: ['db', 'web'] });
    expect(agent.wanted('web')).toMatchObject({
      id: before.id,
      restartNonce: before.restartNonce + 1,
      needs: { db: agent.wanted('db').id },
    });
  });

  it('remove what left the project', async () => {
    await deployed();
    const { db } = guestbook(one).components;
    await platform.apply(user, { name: 'guestbook', components: { db: db ?? {} } });
    expect(await platform.run(user, projectId, 'deploy')).toMatchObject({ state: 'succeeded', components: ['cache', 'web'] });
    await until(() => JSON.stringify(agent.wants()) === JSON.stringify({ db: ['running'] }));
  });

  it('are one at a time for a project, and can be cancelled', async () => {
    await deployed();
    const before = agent.wanted('web');
    agent.script = (wanted) =>
      wanted.release === 2 && wanted.desired === 'prepared' ? { state: 'preparing', step: 'build' } : obedient(wanted);
    await platform.apply(user, guestbook(two));
    const id = await platform.start(user, projectId, 'deploy');
    const { http } = platform.application;
    const auth = { Authorization: `Bearer ${user.accessToken}` };
    const refused = await http.post(`/api/v1/projects/${projectId}/deployments`).set(auth).send({ kind: 'stop' }).expect(409);
    expect(refused.body).toMatchObject({ code: 'DEPLOYMENT_ALREADY_ACTIVE', fix: expect.stringContaining(id) });
    await http.post(`/api/v1/deployments/${id}/cancel`).set(auth).expect(202);
    expect(await platform.ended(user, id)).toMatchObject({ state: 'cancelled' });
    await until(() => agent.wants()['web']?.length === 1);
    expect(agent.wanted('web').id).toBe(before.id);
    await http.post(`/api/v1/deployments/${id}/cancel`).set(auth).expect(409);
  });

  it('start nothing twice for one Idempotency-Key', async () => {
    await deployed();
    const send = () =>
      platform.application.http
        .post(`/api/v1/projects/${projectId}/deployments`)
        .set({ Authorization: `Bearer ${user.accessToken}`, 'Idempotency-Key': 'restart-once' })
        .send({ kind: 'restart', components: ['web'] })
        .expect(202);
    const first = (await send()).body as { id: string };
    await platform.ended(user, first.id);
    expect((await send()).body).toMatchObject({ id: first.id });
  });

  it('wait for a node that is away, and go on when it is back', async () => {
    projectId = await platform.apply(user, guestbook(one));
    await agent.end();
    const id = await platform.start(user, projectId, 'deploy');
    expect((await platform.deployment(user, id)).state).toBe('preparing');
    agent = await platform.agent();
    expect(await platform.ended(user, id)).toMatchObject({ state: 'succeeded' });
  });

  it('delete a project, keep its record, and leave nothing wanted', async () => {
    await deployed();
    const auth = { Authorization: `Bearer ${user.accessToken}` };
    await platform.application.http.delete(`/api/v1/projects/${projectId}`).query({ confirm: 'guest' }).set(auth).expect(400);
    const started = await platform.application.http
      .delete(`/api/v1/projects/${projectId}`)
      .query({ confirm: 'guestbook', purge: 'true' })
      .set(auth)
      .expect(202);
    const { id } = started.body as { id: string };
    expect(await platform.ended(user, id)).toMatchObject({ kind: 'delete', state: 'succeeded' });
    const purged = agent.received.flatMap((message) =>
      message.type === 'desired' ? message.allocations.filter((wanted) => wanted.desired === 'removed').map((wanted) => wanted.purge) : [],
    );
    expect(purged.every(Boolean)).toBe(true);
    await platform.application.http.get(`/api/v1/projects/${projectId}`).set(auth).expect(404);
    await until(() => agent.desired.length === 0);
  });
});
