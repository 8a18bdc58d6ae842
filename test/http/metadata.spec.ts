import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type TestUser, bearer } from '../support/application.js';
import { type DeploymentBody, TestPlatform, guestbook } from '../support/platform.js';
import { obedient } from '../support/scripted-agent.js';

const LINE = 'npm error code E404';

/** What the role table calls metadata: that a thing exists and how it is, not what it says. */
describe('metadata', () => {
  let platform: TestPlatform;
  let owner: TestUser;
  let readers: Record<'auditor' | 'platform' | 'viewer', TestUser>;
  let projectId: string;
  let failed: DeploymentBody;

  const get = (user: TestUser, path: string) => platform.application.http.get(`/api/v1${path}`).set(bearer(user));

  beforeAll(async () => {
    platform = await TestPlatform.start();
    const { application } = platform;
    owner = await application.user('owner@example.org');
    readers = {
      auditor: await application.user('auditor@example.org'),
      viewer: await application.user('viewer@example.org'),
      platform: await application.user('platform@example.org', { platformAdmin: true }),
    };
    for (const role of ['auditor', 'viewer'] as const)
      await application.http
        .put(`/api/v1/teams/${owner.teamId}/members`)
        .set(bearer(owner))
        .send({ email: readers[role].email, role })
        .expect(200);
    await platform.agent((wanted) =>
      wanted.source === undefined || wanted.desired === 'removed'
        ? { ...obedient(wanted), healthMessage: `test.sh: ${LINE}` }
        : { state: 'failed', step: 'build', exit: { code: 1 }, message: `build.sh ended with exit code 1: ${LINE}`, logTail: [LINE] },
    );
    projectId = await platform.apply(owner, guestbook(await platform.upload(owner, 'code')));
    failed = await platform.run(owner, projectId, 'deploy');
  });

  afterAll(async () => {
    await platform.stop();
  });

  it('is all that auditors and platform administrators see of a project', async () => {
    expect(failed.failure?.logTail).toEqual([LINE]);
    for (const user of [readers.auditor, readers.platform]) {
      for (const path of ['', '/status', '/health', '/deployments']) await get(user, `/projects/${projectId}${path}`).expect(200);
      await get(user, `/projects/${projectId}/logs`).expect(403);
      const shown = (await get(user, `/deployments/${failed.id}`).expect(200)).body as DeploymentBody;
      expect(shown).toMatchObject({ state: 'failed', failure: { component: 'web', step: 'build', exitCode: 1, logTail: [] } });
    }
  });

  it('holds no log line anywhere, in lists and histories neither', async () => {
    for (const path of [`/projects/${projectId}/deployments`, `/deployments/${failed.id}/events`]) {
      expect((await get(owner, path).expect(200)).text).toContain(LINE);
      expect((await get(readers.viewer, path).expect(200)).text).toContain(LINE);
      for (const user of [readers.auditor, readers.platform]) {
        const { text } = await get(user, path).expect(200);
        expect(text).toContain('failed');
        expect(text).not.toContain(LINE);
        expect(text).not.toContain('event: log');
      }
    }
  });

  it('does not hold what tests and scripts say, which nodes quote in their messages', async () => {
    const plain = await platform.apply(owner, { name: 'plain', components: { db: { port: 'postgres' } } });
    await platform.run(owner, plain, 'deploy');
    const paths = [`/projects/${plain}/status`, `/projects/${plain}/health`, `/deployments/${failed.id}`];
    for (const path of paths) {
      expect((await get(owner, path).expect(200)).text).toContain(LINE);
      for (const user of [readers.auditor, readers.platform]) expect((await get(user, path).expect(200)).text).not.toContain(LINE);
    }
  });
});
