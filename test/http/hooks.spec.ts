import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { deliveryScript } from '../../cli/src/commands/hooks.js';
import { bearer, type TestUser } from '../support/application.js';
import { TestPlatform } from '../support/platform.js';
import type { ScriptedAgent } from '../support/scripted-agent.js';
import { sql, tokenOf, withToken } from '../support/tokens.js';

const SPEC = (name: string) => ({ name, components: { cache: { port: 'valkey', version: '8' } } });
const UNKNOWN_ID = '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55';

interface Hook {
  id: string;
  url: string;
  secret: string;
  kind: string;
  enabled: boolean;
}
interface Delivery {
  webhookId: string | null;
  outcome: string;
  code: string | null;
  deploymentId: string | null;
}

describe('deploy hooks', () => {
  let platform: TestPlatform;
  let agent: ScriptedAgent;
  let ada: TestUser;
  let dev: TestUser;
  let eve: TestUser;
  let teamId: string;
  let projectId: string;
  let hooks: string;
  let count = 0;

  const http = () => platform.application.http;
  const codeOf = (answer: { body: unknown }): unknown => (answer.body as { code?: unknown }).code;
  const make = async (user: TestUser, kind = 'deploy'): Promise<Hook> =>
    (
      await http()
        .post(hooks)
        .set(bearer(user))
        .send({ name: `hook-${(count += 1)}`, kind })
        .expect(201)
    ).body as Hook;
  const deliveries = async (hook: Hook): Promise<Delivery[]> =>
    ((await http().get(`${hooks}/${hook.id}/deliveries`).set(bearer(ada)).expect(200)).body as { items: Delivery[] }).items;

  /** Sends a delivery as `hook` would sign it; `change` is what is wrong with it. */
  const deliver = (
    hook: { id: string; secret: string },
    change: { id?: string; at?: Date; body?: string; sent?: string; type?: string; headers?: Record<string, string> } = {},
  ) => {
    const { id = `msg_${(count += 1)}`, at = new Date(), body = '{"ref":"refs/heads/main"}', type = 'application/json' } = change;
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': new Webhook(hook.secret).sign(id, at, body),
      ...change.headers,
    };
    return http()
      .post(`/api/v1/hooks/${hook.id}`)
      .set('Content-Type', type)
      .set(headers)
      .send(change.sent ?? body);
  };
  const settled = (deploymentId: string) => platform.ended(ada, deploymentId);

  beforeAll(async () => {
    platform = await TestPlatform.start();
    agent = await platform.agent();
    ada = await platform.application.user('ada@example.org');
    dev = await platform.application.user('dev@example.org');
    eve = await platform.application.user('eve@example.org');
    teamId = ((await http().post('/api/v1/teams').set(bearer(ada)).send({ name: 'Crew' }).expect(201)).body as { id: string }).id;
  });

  beforeEach(async () => {
    await http().put(`/api/v1/teams/${teamId}/members`).set(bearer(ada)).send({ email: dev.email, role: 'developer' }).expect(200);
    const name = `shop-${(count += 1)}`;
    projectId = await platform.apply({ ...ada, teamId }, SPEC(name));
    hooks = `/api/v1/projects/${projectId}/hooks`;
  });

  afterAll(async () => {
    await agent.end();
    await platform.stop();
  });

  it('are made by who may deploy, and show their secret once', async () => {
    const hook = await make(dev);
    expect(hook).toMatchObject({
      kind: 'deploy',
      enabled: true,
      createdBy: dev.id,
      secret: expect.stringMatching(/^whsec_.{44}$/) as unknown,
    });
    expect(hook.url).toContain(`/api/v1/hooks/${hook.id}`);
    const listed = await http().get(hooks).set(bearer(ada)).expect(200);
    expect(listed.body).toMatchObject({ items: [{ id: hook.id }] });
    expect(listed.text).not.toContain('whsec_');
    const rows = await sql<{ row: string }[]>(
      platform.application,
      `SELECT h::text AS row FROM deploy_hooks h UNION ALL SELECT a::text FROM audit_events a`,
    );
    const bytes = Buffer.from(hook.secret).toString('hex');
    expect(rows.filter(({ row }) => row.includes(hook.secret) || row.includes(bytes))).toEqual([]);
    await http().post(hooks).set(bearer(dev)).send({ name: 'x', kind: 'deploy' }).expect(201);
    expect(codeOf(await http().post(hooks).set(bearer(dev)).send({ name: 'x', kind: 'deploy' }).expect(409))).toBe('HOOK_NAME_TAKEN');
    await http().post(hooks).set(bearer(dev)).send({ name: 'Bad name', kind: 'delete' }).expect(400);
  });

  it('R27: those of another team are not there, and no token may make or change one', async () => {
    const hook = await make(ada);
    await http().get(hooks).set(bearer(eve)).expect(404);
    await http().post(hooks).set(bearer(eve)).send({ name: 'mine', kind: 'deploy' }).expect(404);
    await http().delete(`${hooks}/${hook.id}`).set(bearer(eve)).expect(404);
    const token = await tokenOf(platform.application, ada, ['read', 'deploy', 'secret:write']);
    await http().get(hooks).set(withToken(token)).expect(200);
    for (const answer of await Promise.all([
      http().post(hooks).set(withToken(token)).send({ name: 'mine', kind: 'deploy' }),
      http().post(`${hooks}/${hook.id}/secret`).set(withToken(token)),
      http().patch(`${hooks}/${hook.id}`).set(withToken(token)).send({ enabled: false }),
      http().delete(`${hooks}/${hook.id}`).set(withToken(token)),
    ]))
      expect([answer.status, codeOf(answer)]).toEqual([403, 'TOKEN_NOT_ALLOWED']);
  });

  it('R39: a signed delivery starts the deployment as the creator of the hook, whatever its body is', async () => {
    const hook = await make(dev);
    for (const change of [{}, { type: 'text/plain', body: 'ref=main' }, { type: 'application/json', body: '{broken' }]) {
      const started = (await deliver(hook, change).expect(202)).body as { deploymentId: string; kind: string };
      expect(started.kind).toBe('deploy');
      const deployment = await settled(started.deploymentId);
      expect(deployment).toMatchObject({ state: 'succeeded', requestedBy: dev.id });
    }
    expect((await deliveries(hook)).map(({ outcome }) => outcome)).toEqual(['started', 'started', 'started']);
    const restart = await make(dev, 'restart');
    const { deploymentId } = (await deliver(restart).expect(202)).body as { deploymentId: string };
    expect(await settled(deploymentId)).toMatchObject({ kind: 'restart', state: 'succeeded' });
  });

  it('R39: the shell script that `hithe hooks create` prints delivers', async () => {
    const hook = await make(ada);
    const script = deliveryScript(`${await platform.url()}/api/v1/hooks/${hook.id}`);
    const { stdout } = await promisify(execFile)('sh', ['-c', script], {
      env: { PATH: process.env['PATH'], HITHE_HOOK_SECRET: hook.secret },
    });
    const { deploymentId } = JSON.parse(stdout) as { deploymentId: string };
    expect(await settled(deploymentId)).toMatchObject({ state: 'succeeded', requestedBy: ada.id });
  });

  it('R39: a bad signature is refused, and so is what is older than five minutes or from the future', async () => {
    const hook = await make(ada);
    const other = await make(ada);
    const minutes = (by: number): Date => new Date(Date.now() + by * 60_000);
    const answers = [
      await deliver({ ...hook, secret: other.secret }),
      await deliver(hook, { sent: '{"ref":"other"}' }),
      await deliver(hook, { headers: { 'webhook-id': 'another' } }),
      await deliver(hook, { headers: { 'webhook-signature': 'v1,' } }),
      await deliver(hook, { at: minutes(-6) }),
      await deliver(hook, { at: minutes(6) }),
    ];
    expect(answers.map((answer) => [answer.status, codeOf(answer)])).toEqual(answers.map(() => [401, 'HOOK_REFUSED']));
    expect((await deliveries(hook)).map(({ outcome, webhookId }) => [outcome, webhookId])).toEqual(answers.map(() => ['refused', null]));
    expect(codeOf(await deliver(hook, { headers: { 'webhook-timestamp': '1e9' } }).expect(400))).toBe('HOOK_HEADERS_MISSING');
    expect(codeOf(await http().post(`/api/v1/hooks/${hook.id}`).send({}).expect(400))).toBe('HOOK_HEADERS_MISSING');
  });

  it('R39: an unknown hook answers like a bad signature', async () => {
    const hook = await make(ada);
    const wrong = await deliver({ ...hook, secret: (await make(ada)).secret });
    const unknown = await deliver({ ...hook, id: UNKNOWN_ID });
    const told = ({ body, status }: { body: unknown; status: number }) => ({ status, ...(body as object), instance: '', requestId: '' });
    expect(told(unknown)).toEqual(told(wrong));
    await http().delete(`${hooks}/${hook.id}`).set(bearer(ada)).expect(204);
    expect(told(await deliver(hook))).toEqual(told(wrong));
  });

  it('R39: a repeated id is refused, of two at once one wins', async () => {
    const hook = await make(ada);
    const answers = await Promise.all(Array.from({ length: 4 }, () => deliver(hook, { id: 'msg_once' })));
    expect(answers.map((answer) => answer.status).sort()).toEqual([202, 409, 409, 409]);
    const started = answers.find((answer) => answer.status === 202)?.body as { deploymentId: string };
    await settled(started.deploymentId);
    expect(codeOf(await deliver(hook, { id: 'msg_once' }).expect(409))).toBe('HOOK_REPEATED');
    expect(await deliveries(hook)).toHaveLength(1);
    const again = (await deliver(hook, { id: 'msg_twice' }).expect(202)).body as { deploymentId: string };
    await settled(again.deploymentId);
  });

  it('what failed for a passing reason may come again under its id', async () => {
    const hook = await make(ada);
    const occupy = (deploymentId: string | null) =>
      sql(platform.application, 'UPDATE projects SET active_deployment_id = $2, activity = $3 WHERE id = $1', [
        projectId,
        deploymentId,
        deploymentId === null ? null : 'deploy',
      ]);
    await occupy(UNKNOWN_ID);
    expect(codeOf(await deliver(hook, { id: 'msg_later' }).expect(409))).toBe('DEPLOYMENT_ALREADY_ACTIVE');
    expect(await deliveries(hook)).toMatchObject([{ webhookId: 'msg_later', outcome: 'failed', code: 'DEPLOYMENT_ALREADY_ACTIVE' }]);
    await occupy(null);
    const { deploymentId } = (await deliver(hook, { id: 'msg_later' }).expect(202)).body as { deploymentId: string };
    expect(await deliveries(hook)).toMatchObject([{ webhookId: 'msg_later', outcome: 'started', deploymentId }]);
    await settled(deploymentId);
  });

  it('act with the right that their creator has now', async () => {
    const hook = await make(dev);
    await http().put(`/api/v1/teams/${teamId}/members`).set(bearer(ada)).send({ email: dev.email, role: 'viewer' }).expect(200);
    expect(codeOf(await deliver(hook).expect(403))).toBe('HOOK_FORBIDDEN');
    await http().delete(`/api/v1/teams/${teamId}/members/${dev.id}`).set(bearer(ada)).expect(204);
    expect(codeOf(await deliver(hook).expect(403))).toBe('HOOK_FORBIDDEN');
    expect((await deliveries(hook)).map(({ outcome, code }) => [outcome, code])).toEqual([
      ['refused', 'HOOK_FORBIDDEN'],
      ['refused', 'HOOK_FORBIDDEN'],
    ]);
    const events = await sql<{ action: string; outcome: string }[]>(
      platform.application,
      `SELECT action, outcome FROM audit_events WHERE subject_id = $1 AND outcome = 'denied'`,
      [hook.id],
    );
    expect(events).toContainEqual({ action: 'access.denied', outcome: 'denied' });
  });

  it('are switched off and on, rotated and deleted by who may deploy; a rotated one acts for who did it', async () => {
    const hook = await make(dev);
    await http().patch(`${hooks}/${hook.id}`).set(bearer(ada)).send({ enabled: false }).expect(200);
    expect(codeOf(await deliver(hook).expect(403))).toBe('HOOK_DISABLED');
    await http().patch(`${hooks}/${hook.id}`).set(bearer(dev)).send({ enabled: true }).expect(200);
    const rotated = (await http().post(`${hooks}/${hook.id}/secret`).set(bearer(ada)).expect(201)).body as Hook;
    expect(rotated).toMatchObject({ id: hook.id, createdBy: ada.id });
    expect(codeOf(await deliver(hook).expect(401))).toBe('HOOK_REFUSED');
    const { deploymentId } = (await deliver(rotated).expect(202)).body as { deploymentId: string };
    expect(await settled(deploymentId)).toMatchObject({ requestedBy: ada.id });
    await http().delete(`${hooks}/${hook.id}`).set(bearer(dev)).expect(204);
    await http().delete(`${hooks}/${hook.id}`).set(bearer(dev)).expect(404);
    const actions = await sql<{ action: string }[]>(
      platform.application,
      `SELECT action FROM audit_events WHERE subject_type = 'hook' AND subject_id = $1 AND action LIKE 'hook.%' ORDER BY seq`,
      [hook.id],
    );
    expect(actions.map(({ action }) => action)).toEqual([
      'hook.created',
      'hook.disabled',
      'hook.delivery-refused',
      'hook.enabled',
      'hook.secret-rotated',
      'hook.delivery-refused',
      'hook.delivered',
      'hook.deleted',
    ]);
  });
});
