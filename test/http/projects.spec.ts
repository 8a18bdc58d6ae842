import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { REDACTED } from '../../src/modules/projects/domain/project-spec.js';
import { asSystem } from '../../src/common/request-context.js';
import { SecretsService } from '../../src/modules/secrets/secrets.service.js';
import { bearer, TestApplication, type TestUser } from '../support/application.js';

interface ProblemBody {
  code: string;
  fix?: string;
  errors?: { path: string; code: string; message: string; fix?: string }[];
}
interface ProjectBody {
  id: string;
  name: string;
  specVersion: number;
  state: string;
  release: number | null;
  spec: { components: Record<string, { vars: Record<string, unknown> }> };
}

const NOWHERE = '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55';

describe('projects', () => {
  let application: TestApplication;
  let owner: TestUser;
  let developer: TestUser;
  let viewer: TestUser;
  let stranger: TestUser;
  let platform: TestUser;
  let teamId: string;
  let name: string;
  let count = 0;

  const spec = (components: object = { db: { port: 'postgres', version: '17' } }) => ({ name, components });
  const apply = (user: TestUser, body: unknown = spec(), team = teamId) =>
    application.http.put(`/api/v1/teams/${team}/projects/${name}`).set(bearer(user)).send({ spec: body });
  const get = (user: TestUser, path: string) => application.http.get(`/api/v1/${path}`).set(bearer(user));
  const post = (user: TestUser, path: string, body: object = {}) => application.http.post(`/api/v1/${path}`).set(bearer(user)).send(body);
  const faults = (body: unknown) => ((body as ProblemBody).errors ?? []).map((fault) => `${fault.path} ${fault.code}`);

  beforeAll(async () => {
    application = await TestApplication.start();
    owner = await application.user('owner@example.org');
    developer = await application.user('developer@example.org');
    viewer = await application.user('viewer@example.org');
    stranger = await application.user('stranger@example.org');
    platform = await application.user('platform@example.org', { platformAdmin: true });
    teamId = owner.teamId;
    for (const [user, role] of [
      [developer, 'developer'],
      [viewer, 'viewer'],
    ] as const) {
      await application.http.put(`/api/v1/teams/${teamId}/members`).set(bearer(owner)).send({ email: user.email, role }).expect(200);
    }
  });

  beforeEach(() => {
    count += 1;
    name = `project-${count}`;
  });

  afterAll(async () => {
    await application.stop();
  });

  describe('PUT /teams/:teamId/projects/:name', () => {
    it('creates, then changes, and does nothing when nothing is different', async () => {
      const created = await apply(developer).expect(201);
      expect(created.body).toMatchObject({ name, specVersion: 1, state: 'new', release: null });
      expect(created.headers['etag']).toBe('"1"');
      expect((await apply(developer).expect(200)).body).toMatchObject({ specVersion: 1 });
      const changed = await apply(developer, spec({ db: { port: 'postgres', version: '18' } })).expect(200);
      expect(changed.body).toMatchObject({ specVersion: 2, id: (created.body as ProjectBody).id });
    });

    it('keeps the order of components', async () => {
      const components = { web: { port: 'command', vars: { START_COMMAND: 'sleep 9' } }, db: { port: 'postgres' }, a: { port: 'valkey' } };
      const body = (await apply(owner, spec(components))).body as ProjectBody;
      expect(Object.keys(((await get(owner, `projects/${body.id}`).expect(200)).body as ProjectBody).spec.components)).toEqual([
        'web',
        'db',
        'a',
      ]);
    });

    it('refuses a change of an older version', async () => {
      await apply(owner).expect(201);
      const next = spec({ db: { port: 'postgres', version: '18' } });
      expect((await apply(owner, next).set('If-Match', '"7"').expect(412)).body).toMatchObject({ code: 'VERSION_MISMATCH' });
      expect((await apply(owner, next).set('If-Match', '"1"').expect(200)).headers['etag']).toBe('"2"');
    });

    it('names the place and the mend of each fault, and creates nothing', async () => {
      const bad = {
        db: { port: 'postgers' },
        cache: { port: 'valkey', version: '1' },
        web: { port: 'nodejs-app', needs: ['db', 'nobody'] },
      };
      const answer = await apply(owner, spec(bad)).expect(400);
      expect(answer.body).toMatchObject({ code: 'PROJECT_SPEC_INVALID' });
      expect(faults(answer.body)).toEqual([
        'components.db.port PORT_UNKNOWN',
        'components.cache.version VERSION_UNKNOWN',
        'components.web.needs[1] NEEDS_UNKNOWN',
        'components.web.source SOURCE_REQUIRED',
      ]);
      expect((answer.body as ProblemBody).errors?.every((fault) => (fault.fix ?? '') !== '')).toBe(true);
      expect((await get(owner, 'projects').query({ name })).body).toMatchObject({ items: [] });
    });

    it.each([
      [
        'a wrong type',
        { db: { port: 'postgres', vars: { POSTGRES_MAX_CONNECTIONS: 'many' } } },
        'components.db.vars.POSTGRES_MAX_CONNECTIONS VAR_TYPE',
      ],
      [
        'an unknown var',
        { db: { port: 'postgres', vars: { POSTGRES_DATABASE: 'x' } } },
        'components.db.vars.POSTGRES_DATABASE VAR_UNKNOWN',
      ],
      ['a missing var', { app: { port: 'npm-app' } }, 'components.app.vars.NPM_PACKAGE VAR_MISSING'],
      ['a cycle', { a: { port: 'valkey', needs: ['b'] }, b: { port: 'valkey', needs: ['a'] } }, 'components.a.needs NEEDS_CYCLE'],
      [
        'an export that nothing has',
        { a: { port: 'valkey' }, b: { port: 'command', vars: { START_COMMAND: 'x' }, needs: ['a'], env: { X: '${a.NOPE}' } } },
        'components.b.env.X EXPORT_UNKNOWN',
      ],
      ['a port that runs nothing', { a: { port: 'nodejs' } }, 'components.a.port PORT_NOT_RUNNABLE'],
      [
        'an archive that nobody uploaded',
        { a: { port: 'nodejs-app', source: { path: '.', digest: `sha256-${'0'.repeat(64)}` } } },
        'components.a.source.digest SOURCE_UNKNOWN',
      ],
      ['no components', {}, 'components SPEC_VALUE'],
    ])('refuses %s', async (_what, components, fault) => {
      const body = (await apply(owner, spec(components)).expect(400)).body as ProblemBody;
      expect(faults(body)).toContain(fault);
    });

    it('refuses a specification of another name, none at all, and fields beside it', async () => {
      expect(faults((await apply(owner, { ...spec(), name: 'another' }).expect(400)).body)).toEqual(['name NAME_MISMATCH']);
      await application.http.put(`/api/v1/teams/${teamId}/projects/${name}`).set(bearer(owner)).send({}).expect(400);
      await application.http
        .put(`/api/v1/teams/${teamId}/projects/${name}`)
        .set(bearer(owner))
        .send({ spec: spec(), teamId: stranger.teamId })
        .expect(400);
      expect((await apply(owner, 'text').expect(400)).body).toMatchObject({ code: 'PROJECT_SPEC_INVALID' });
    });

    it('is for developers of the team', async () => {
      await application.http.put(`/api/v1/teams/${teamId}/projects/${name}`).send({ spec: spec() }).expect(401);
      await apply(viewer).expect(403);
      expect((await apply(stranger).expect(404)).body).toMatchObject({ code: 'TEAM_NOT_FOUND' });
      await apply(platform).expect(403);
    });

    it('hides secrets, keeps them encrypted, and keeps them when they come back hidden', async () => {
      const secret = 'correct horse battery';
      const components = { db: { port: 'postgres', vars: { POSTGRES_PASSWORD: secret } } };
      const created = (await apply(owner, spec(components)).expect(201)).body as ProjectBody;
      expect(created.spec.components['db']?.vars).toEqual({ POSTGRES_PASSWORD: REDACTED });
      expect((await apply(owner, created.spec).expect(200)).body).toMatchObject({ specVersion: 1 });
      expect((await apply(owner, spec(components)).expect(200)).body).toMatchObject({ specVersion: 1 });
      const secrets = application.app.get(SecretsService, { strict: false });
      const kept = asSystem('test', () => secrets.reveal({ teamId, projectId: created.id }, 'db', { POSTGRES_PASSWORD: 1 }));
      expect(await kept).toEqual({ POSTGRES_PASSWORD: secret });
      const another = { db: { port: 'postgres', vars: { POSTGRES_PASSWORD: 'another long password' } } };
      expect((await apply(owner, spec(another)).expect(200)).body).toMatchObject({ specVersion: 2 });
      const bad = (await apply(owner, spec({ db: { port: 'postgres', vars: { POSTGRES_PASSWORD: 'short' } } })).expect(400))
        .body as ProblemBody;
      expect(JSON.stringify(bad)).not.toContain('short"');
    });
  });

  describe('GET /projects', () => {
    it('lists what the caller may see, by team and name', async () => {
      const { id } = (await apply(owner).expect(201)).body as ProjectBody;
      for (const user of [owner, developer, viewer, platform]) {
        expect((await get(user, 'projects').query({ name, teamId }).expect(200)).body).toMatchObject({ items: [{ id }], nextCursor: null });
      }
      expect((await get(stranger, 'projects').query({ name }).expect(200)).body).toEqual({ items: [], nextCursor: null });
      await get(owner, 'projects').query({ teamId: 'nonsense' }).expect(400);
      await application.http.get('/api/v1/projects').expect(401);
    });

    it('shows one with its version, and nothing to another team', async () => {
      const { id } = (await apply(owner).expect(201)).body as ProjectBody;
      for (const path of [
        `projects/${id}`,
        `projects/${id}/status`,
        `projects/${id}/health`,
        `projects/${id}/deployments`,
        `projects/${id}/logs`,
      ]) {
        await get(viewer, path).expect(200);
        expect((await get(stranger, path).expect(404)).body).toMatchObject({ code: 'PROJECT_NOT_FOUND' });
        await get(owner, path.replace(id, NOWHERE)).expect(404);
        await get(owner, path.replace(id, 'nonsense')).expect(400);
        await application.http.get(`/api/v1/${path}`).expect(401);
      }
      expect((await get(owner, `projects/${id}`)).headers['etag']).toBe('"1"');
      expect((await get(owner, `projects/${id}/status`)).body).toMatchObject({
        project: name,
        state: 'new',
        health: 'unknown',
        components: [{ name: 'db', state: 'new', endpoints: [] }],
      });
      expect((await get(owner, `projects/${id}/health`)).body).toMatchObject({
        healthy: false,
        components: [{ name: 'db', message: 'not deployed yet' }],
      });
      expect((await get(owner, `projects/${id}/logs`)).body).toEqual({ items: [] });
    });
  });

  describe('POST /teams/:teamId/sources', () => {
    const upload = (user: TestUser, body: Buffer, type = 'application/gzip') =>
      application.http.post(`/api/v1/teams/${teamId}/sources`).set(bearer(user)).set('Content-Type', type).send(body);

    it('stores an archive once, named by its content', async () => {
      const archive = gzipSync('code');
      const first = await upload(developer, archive).expect(201);
      expect(first.body).toEqual({ digest: expect.stringMatching(/^sha256-[0-9a-f]{64}$/), size: archive.length });
      expect((await upload(owner, archive).expect(201)).body).toEqual(first.body);
    });

    it('refuses what is no archive, another type, too much, and whoever may not', async () => {
      expect((await upload(owner, Buffer.from('text')).expect(400)).body).toMatchObject({ code: 'SOURCE_NOT_AN_ARCHIVE' });
      expect((await upload(owner, gzipSync('x'), 'application/zip').expect(415)).body).toMatchObject({ code: 'MEDIA_TYPE_UNSUPPORTED' });
      await upload(viewer, gzipSync('x')).expect(403);
      await upload(stranger, gzipSync('x')).expect(404);
      await application.http.post(`/api/v1/teams/${teamId}/sources`).expect(401);
      const large = await fetch(`${await application.app.getUrl()}/api/v1/teams/${teamId}/sources`, {
        method: 'POST',
        headers: { ...bearer(owner), 'Content-Type': 'application/gzip' },
        body: Buffer.alloc(64 * 1024 * 1024 + 1, 0x1f),
      }).catch((error: unknown) => error);
      // The server may close before all of it is sent; if it answers, the answer is plain.
      if (large instanceof Response) expect([large.status, ((await large.json()) as ProblemBody).code]).toEqual([413, 'BODY_TOO_LARGE']);
    });
  });

  describe('POST /teams/:teamId/plan', () => {
    it('shows faults as checks and creates nothing', async () => {
      const body = { spec: spec({ db: { port: 'postgers' } }) };
      const plan = (await post(developer, `teams/${teamId}/plan`, body).expect(200)).body as object;
      expect(plan).toMatchObject({
        project: name,
        ok: false,
        changes: [],
        checks: [{ check: 'PORT_UNKNOWN', component: 'db', status: 'error', fix: expect.stringContaining('postgres') }],
      });
      expect((await get(owner, 'projects').query({ name })).body).toMatchObject({ items: [] });
    });

    it('shows what would change', async () => {
      const plan = (await post(developer, `teams/${teamId}/plan`, { spec: spec() }).expect(200)).body as object;
      expect(plan).toMatchObject({
        ok: true,
        changes: [{ component: 'db', action: 'create' }],
        versions: [{ component: 'db', port: 'postgres', version: '17', installed: false }],
      });
    });

    it('is for developers of the team', async () => {
      await application.http.post(`/api/v1/teams/${teamId}/plan`).send({ spec: spec() }).expect(401);
      await post(viewer, `teams/${teamId}/plan`, { spec: spec() }).expect(403);
      await post(stranger, `teams/${teamId}/plan`, { spec: spec() }).expect(404);
      await post(developer, `teams/${teamId}/plan`, {}).expect(400);
    });
  });

  describe('deployments', () => {
    it('are refused to viewers and strangers, with bad input, and without a node', async () => {
      const { id } = (await apply(owner).expect(201)).body as ProjectBody;
      const path = `projects/${id}/deployments`;
      await application.http.post(`/api/v1/${path}`).send({ kind: 'deploy' }).expect(401);
      await post(viewer, path, { kind: 'deploy' }).expect(403);
      await post(stranger, path, { kind: 'deploy' }).expect(404);
      await post(platform, path, { kind: 'deploy' }).expect(403);
      await post(developer, path, { kind: 'explode' }).expect(400);
      await post(developer, path, { kind: 'deploy', components: ['db'] }).expect(400);
      expect((await post(developer, path, { kind: 'start' }).expect(409)).body).toMatchObject({ code: 'PROJECT_NOT_DEPLOYED' });
      expect((await post(developer, path, { kind: 'deploy' }).expect(503)).body).toMatchObject({ code: 'NO_NODE' });
      expect((await get(owner, path).expect(200)).body).toEqual({ items: [], nextCursor: null });
      expect((await get(owner, `projects/${id}`)).body).toMatchObject({ state: 'new' });
    });

    it('of others are not found', async () => {
      for (const path of [`deployments/${NOWHERE}`, `deployments/${NOWHERE}/events`]) {
        expect((await get(owner, path).expect(404)).body).toMatchObject({ code: 'DEPLOYMENT_NOT_FOUND' });
        await get(owner, path.replace(NOWHERE, 'nonsense')).expect(400);
        await application.http.get(`/api/v1/${path}`).expect(401);
      }
      await post(owner, `deployments/${NOWHERE}/cancel`).expect(404);
      await application.http.post(`/api/v1/deployments/${NOWHERE}/cancel`).expect(401);
    });

    it('delete a project that never ran, by owners and with its name', async () => {
      const { id } = (await apply(owner).expect(201)).body as ProjectBody;
      const remove = (user: TestUser, confirm?: string) =>
        application.http
          .delete(`/api/v1/projects/${id}`)
          .query(confirm === undefined ? {} : { confirm })
          .set(bearer(user));
      await application.http.delete(`/api/v1/projects/${id}`).query({ confirm: name }).expect(401);
      await remove(developer, name).expect(403);
      await remove(stranger, name).expect(404);
      await remove(owner).expect(400);
      expect((await remove(owner, 'another').expect(400)).body).toMatchObject({ code: 'CONFIRMATION_WRONG' });
      const deployment = (await remove(owner, name).expect(202)).body as { id: string };
      expect(deployment).toMatchObject({ kind: 'delete', state: 'succeeded' });
      await get(owner, `projects/${id}`).expect(404);
      expect((await get(owner, `deployments/${deployment.id}`).expect(200)).body).toMatchObject({ projectId: id });
      await get(stranger, `deployments/${deployment.id}`).expect(404);
      const events = await get(owner, `deployments/${deployment.id}/events`).buffer(true).expect(200);
      expect(events.text).toMatch(/id: 1\nevent: state\n[\s\S]*event: end\n/);
      await get(owner, `deployments/${deployment.id}/events`).set('Last-Event-ID', 'nonsense').expect(400);
    });
  });

  describe('the catalogue', () => {
    it('lists ports with their versions', async () => {
      const { items } = (await get(viewer, 'ports').expect(200)).body as { items: { name: string; versions: string[] }[] };
      expect(items.find((port) => port.name === 'postgres')?.versions).toEqual(['18', '17', '15', '13']);
      await application.http.get('/api/v1/ports').expect(401);
    });

    it('shows the vars, exports and endpoints of one', async () => {
      expect((await get(viewer, 'ports/postgres').expect(200)).body).toMatchObject({
        kind: 'service',
        exports: expect.arrayContaining(['POSTGRES_URL']),
        endpoints: [{ name: 'sql', protocol: 'tcp', default: 5432 }],
        vars: expect.arrayContaining([expect.objectContaining({ name: 'POSTGRES_PASSWORD', secret: true, generated: true })]),
      });
      expect((await get(viewer, 'ports/nothing').expect(404)).body).toMatchObject({ code: 'PORT_NOT_FOUND' });
      await application.http.get('/api/v1/ports/postgres').expect(401);
    });

    it('publishes the schema of hithe.yaml to everybody', async () => {
      expect((await application.http.get('/api/v1/schemas/project').expect(200)).body).toMatchObject({ required: ['name', 'components'] });
    });
  });

  describe('nodes', () => {
    it('are for platform administrators', async () => {
      expect((await get(platform, 'nodes').expect(200)).body).toEqual({ items: [], nextCursor: null });
      await get(platform, `nodes/${NOWHERE}`).expect(404);
      await get(owner, 'nodes').expect(403);
      await get(owner, `nodes/${NOWHERE}`).expect(403);
      await application.http.get('/api/v1/nodes').expect(401);
    });

    it('download nothing without their credential', async () => {
      await application.http.get(`/api/v1/node/sources/sha256-${'0'.repeat(64)}`).expect(401);
      await get(owner, `node/sources/sha256-${'0'.repeat(64)}`).expect(401);
    });
  });
});
