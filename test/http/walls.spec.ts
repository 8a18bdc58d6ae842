import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ActorLoader } from '../../src/auth/actor-loader.js';
import type { Actor } from '../../src/auth/actor.js';
import { asSystem } from '../../src/common/request-context.js';
import { PageQuery } from '../../src/http/pagination.js';
import { ProjectsService } from '../../src/modules/projects/projects.service.js';
import { TeamsService } from '../../src/modules/teams/teams.service.js';
import { UsersService } from '../../src/modules/users/users.service.js';
import { TestApplication, type TestUser, bearer } from '../support/application.js';

const SPEC = { name: 'shop', components: { db: { port: 'postgres', version: '17' } } };

/**
 * Each wall where no other one stands in the way; test/mutation/walls.mjs takes them down one at a time. Row-level security by
 * itself is in test/integration/walls.spec.ts.
 */
describe('each wall by itself', () => {
  let application: TestApplication;
  let ada: TestUser;
  let grace: TestUser;
  let adasProject: string;
  let gracesProject: string;

  beforeAll(async () => {
    application = await TestApplication.start();
    ada = await application.user('ada@example.org');
    grace = await application.user('grace@example.org');
    adasProject = await apply(ada);
    gracesProject = await apply(grace);
  });

  afterAll(async () => {
    await application.stop();
  });

  async function apply(user: TestUser): Promise<string> {
    const answer = application.http.put(`/api/v1/teams/${user.teamId}/projects/shop`).set(bearer(user)).send({ spec: SPEC });
    return ((await answer.expect(201)).body as { id: string }).id;
  }

  const service = <T>(type: abstract new (...given: never[]) => T): T => application.app.get<T>(type, { strict: false });

  async function actorOf(user: TestUser): Promise<Actor> {
    const claims = JSON.parse(Buffer.from(user.accessToken.split('.')[1] ?? '', 'base64url').toString()) as { sid: string };
    const actor = await service(ActorLoader).load(user.id, claims.sid);
    if (actor === null) throw new Error(`${user.email} is not logged in`);
    return actor;
  }

  /** Row-level security shows everything in here. */
  const withoutRowLevelSecurity = <T>(work: () => Promise<T>): Promise<T> => asSystem('test', work);

  describe('the guard that knows who asks', () => {
    it.each(['/me', '/users', '/teams', '/projects', '/nodes'])('lets nobody in without a credential: GET %s', async (path) => {
      await application.http.get(`/api/v1${path}`).expect(401);
      await application.http.get(`/api/v1${path}`).set('Authorization', 'Bearer nonsense').expect(401);
    });
  });

  describe('the guard that knows what a route asks for', () => {
    it('refuses a route whose ability the caller has nowhere, before its handler runs', async () => {
      const answer = await application.http.post('/api/v1/users').set(bearer(ada)).send({ email: 'new@example.org' }).expect(403);
      expect(answer.body).toMatchObject({ code: 'ACTION_FORBIDDEN' });
      // Even what is not there is not looked for.
      await application.http.post('/api/v1/users').set(bearer(ada)).send({}).expect(403);
    });
  });

  describe('the filter in SQL', () => {
    const page = Object.assign(new PageQuery(), { limit: 100 });

    it('R27: lists the projects that the caller may read, though the database would give all', async () => {
      const actor = await actorOf(ada);
      const found = await withoutRowLevelSecurity(() => service(ProjectsService).list(actor, {}, page));
      expect(found.items.map(({ project }) => project.id)).toEqual([adasProject]);
      const others = await withoutRowLevelSecurity(() => service(ProjectsService).list(actor, { teamId: grace.teamId }, page));
      expect(others.items).toEqual([]);
    });

    it('R27: lists the teams that the caller may read, though the database would give all', async () => {
      const actor = await actorOf(ada);
      const found = await withoutRowLevelSecurity(() => service(TeamsService).list(actor, page));
      expect(found.items.map(({ id }) => id)).toEqual([ada.teamId]);
    });

    it('R27: lists the users that the caller may read, which row-level security knows nothing of', async () => {
      const actor = await actorOf(ada);
      const found = await service(UsersService).list(actor, page);
      expect(found.items.map(({ id }) => id)).toEqual([ada.id]);
    });
  });

  describe('the question for each row', () => {
    it('R27: hides the row of another team, though the database would give it', async () => {
      const actor = await actorOf(ada);
      const read = withoutRowLevelSecurity(() => service(ProjectsService).require(actor, gracesProject, 'read'));
      await expect(read).rejects.toMatchObject({ kind: 'not-found' });
      const team = withoutRowLevelSecurity(() => service(TeamsService).require(actor, grace.teamId));
      await expect(team).rejects.toMatchObject({ kind: 'not-found' });
    });

    it('refuses what the caller may do in another of their teams only', async () => {
      await application.http
        .put(`/api/v1/teams/${grace.teamId}/members`)
        .set(bearer(grace))
        .send({ email: ada.email, role: 'viewer' })
        .expect(200);
      // Ada owns a team, so the guard of the route lets her through; the row is visible, and she may only look at it.
      await application.http.get(`/api/v1/projects/${gracesProject}`).set(bearer(ada)).expect(200);
      const answer = await application.http.post(`/api/v1/projects/${gracesProject}/deployments`).set(bearer(ada)).send({ kind: 'stop' });
      expect([answer.status, (answer.body as { code: string }).code]).toEqual([403, 'ACTION_FORBIDDEN']);
    });
  });
});
