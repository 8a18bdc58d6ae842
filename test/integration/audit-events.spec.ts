import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LocalNodeRegistrar } from '../../src/bootstrap/local-node-registrar.js';
import { asSystem } from '../../src/common/request-context.js';
import { AuditReader } from '../../src/modules/audit/audit-reader.js';
import type { AuditRecord } from '../../src/modules/audit/domain/audit-record.js';
import { type TestUser, bearer } from '../support/application.js';
import { TestPlatform } from '../support/platform.js';
import type { ScriptedAgent } from '../support/scripted-agent.js';

/** An event in the words that these tests compare. */
type Told = [action: string, outcome: string, actor: string, subject: string];

describe('each change leaves exactly its events', () => {
  let platform: TestPlatform;
  let agent: ScriptedAgent;
  let user: TestUser;
  let seen = 0;

  const fresh = async (): Promise<AuditRecord[]> => {
    const records = await asSystem('test', () => platform.application.app.get(AuditReader).after(seen, 1_000));
    seen = records.at(-1)?.seq ?? seen;
    return records;
  };
  const told = async (): Promise<Told[]> =>
    (await fresh()).map(({ action, outcome, actorEmail, actorKind, subjectType }) => [
      action,
      outcome,
      actorEmail ?? actorKind,
      subjectType,
    ]);
  const apply = (name: string, version: string): Promise<string> =>
    platform.apply(user, { name, components: { cache: { port: 'valkey', version } } });

  beforeAll(async () => {
    platform = await TestPlatform.start();
    agent = await platform.agent();
    user = await platform.application.user('dana@example.org');
  });

  afterAll(async () => {
    await agent.end();
    await platform.stop();
  });

  it('of nodes: registered, and a credential renewed', async () => {
    const records = await fresh();
    expect(records[0]).toMatchObject({ action: 'node.registered', subjectName: 'local', teamId: null });
    const registrar = platform.application.app.get<LocalNodeRegistrar>(LocalNodeRegistrar, { strict: false });
    const issued = await asSystem('test', () => registrar.ensure({ renew: true }));
    const [renewed] = await fresh();
    expect(renewed).toMatchObject({ action: 'node.credential-renewed', actorKind: 'system', subjectId: issued?.nodeId });
    expect(JSON.stringify(renewed)).not.toContain(issued?.credential);
  });

  it('of sources: uploaded, once for the same content', async () => {
    const digest = await platform.upload(user, 'console.log(1)');
    await platform.upload(user, 'console.log(1)');
    const records = await fresh();
    expect(records.map(({ action, subjectId, teamId }) => [action, subjectId, teamId])).toEqual([['source.uploaded', digest, user.teamId]]);
  });

  it('of projects and deployments, from the first specification to the deletion', async () => {
    const projectId = await apply('shop', '8');
    expect(await told()).toEqual([['project.created', 'success', user.email, 'project']]);
    await apply('shop', '8');
    expect(await told()).toEqual([]);
    const deployed = await platform.run(user, projectId, 'deploy');
    const [requested, ended, ...more] = await fresh();
    expect(more).toEqual([]);
    expect(requested).toMatchObject({ action: 'deployment.requested', actorEmail: user.email, subjectId: deployed.id, projectId });
    expect(JSON.parse(requested?.details ?? '')).toMatchObject({ kind: 'deploy', release: 1 });
    expect(ended).toMatchObject({ action: 'deployment.succeeded', actorKind: 'system', actorEmail: null, subjectId: deployed.id });
    expect(JSON.parse(ended?.details ?? '')).toMatchObject({ kind: 'deploy', requestedBy: user.id });
    await platform.run(user, projectId, 'restart');
    expect((await told()).map(([action]) => action)).toEqual(['deployment.requested', 'deployment.succeeded']);
    const { http } = platform.application;
    const deletion = (await http.delete(`/api/v1/projects/${projectId}?confirm=shop`).set(bearer(user)).expect(202)).body as { id: string };
    await platform.ended(user, deletion.id);
    expect((await told()).map(([action, outcome]) => [action, outcome])).toEqual([
      ['deployment.requested', 'success'],
      ['deployment.succeeded', 'success'],
      ['project.deleted', 'success'],
    ]);
  });

  it('of a deployment that was cancelled: who wished it, and its end', async () => {
    agent.script = () => undefined;
    const projectId = await apply('slow', '8');
    const id = await platform.start(user, projectId, 'deploy');
    await platform.application.http.post(`/api/v1/deployments/${id}/cancel`).set(bearer(user)).expect(202);
    const { items } = (await platform.application.http.get('/api/v1/audit/events?subject=slow').set(bearer(user)).expect(200)).body as {
      items: { action: string; actorEmail: string | null }[];
    };
    expect(items.map(({ action }) => action)).toEqual(expect.arrayContaining(['deployment.requested', 'deployment.cancel-requested']));
  });

  it('of a request that is refused for its form: none', async () => {
    await fresh();
    await platform.application.http
      .put(`/api/v1/teams/${user.teamId}/projects/x`)
      .set(bearer(user))
      .send({ spec: { name: 'y' } })
      .expect(400);
    expect(await told()).toEqual([]);
  });
});
