import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { asSystem } from '../../src/common/request-context.js';
import { REDACTED } from '../../src/modules/projects/domain/project-spec.js';
import { bearer, type TestUser } from '../support/application.js';
import { superuserUrl } from '../support/database.js';
import { guestbook, TestPlatform } from '../support/platform.js';
import { ScriptedAgent } from '../support/scripted-agent.js';

interface VariableBody {
  name: string;
  component: string | null;
  kind: string;
  origin: string;
  value: string | null;
  version: number | null;
  setBy: { email: string } | null;
  overrides: string[];
  inUse: boolean | null;
}
interface ProblemBody {
  code: string;
  errors?: { path: string; code: string }[];
}

const SECRET = 'marked-secret-of-the-variables';

describe('variables', () => {
  let platform: TestPlatform;
  let agent: ScriptedAgent;
  let owner: TestUser;
  let developer: TestUser;
  let viewer: TestUser;
  let stranger: TestUser;
  let admin: TestUser;
  let digest: string;
  let id: string;
  let count = 0;

  const call = (user: TestUser, method: 'get' | 'put' | 'post' | 'delete', path = '', body?: object) =>
    platform.application.http[method](`/api/v1/projects/${id}/variables${path}`).set(bearer(user)).send(body);
  const set = (user: TestUser, variables: object[], component?: string) =>
    call(user, 'put', '', { variables, ...(component === undefined ? {} : { component }) });
  const list = async (user = owner, path = '') => ((await call(user, 'get', path).expect(200)).body as { items: VariableBody[] }).items;
  const faults = (body: unknown) => (body as ProblemBody).errors?.map(({ path, code }) => `${path} ${code}`);
  const audit = (action: string) =>
    asSystem('test', () =>
      platform.application.app
        .get(DataSource)
        .query<{ before: unknown; after: unknown; details: unknown }[]>(
          'SELECT * FROM audit_events WHERE project_id = $1 AND action = $2 ORDER BY seq',
          [id, action],
        ),
    );

  beforeAll(async () => {
    platform = await TestPlatform.start();
    const { application } = platform;
    owner = await application.user('owner@example.org');
    developer = await application.user('developer@example.org');
    viewer = await application.user('viewer@example.org');
    stranger = await application.user('stranger@example.org');
    admin = await application.user('admin@example.org', { platformAdmin: true });
    for (const [user, role] of [
      [developer, 'developer'],
      [viewer, 'viewer'],
    ] as const) {
      await application.http.put(`/api/v1/teams/${owner.teamId}/members`).set(bearer(owner)).send({ email: user.email, role }).expect(200);
    }
    digest = await platform.upload(owner, 'code');
    agent = await platform.agent();
  });

  beforeEach(async () => {
    count += 1;
    id = await platform.apply(owner, {
      ...guestbook(digest, { web: { env: { LEVEL: 'info', DATABASE_URL: '${db.POSTGRES_URL}' } } }),
      name: `shop-${count}`,
    });
  });

  afterAll(async () => {
    await agent.end();
    await platform.stop();
  });

  it('are set by developers, shown to viewers without secrets, and hidden from others', async () => {
    const variables = [
      { name: 'API_KEY', value: SECRET },
      { name: 'LEVEL', value: 'debug', kind: 'plain' },
    ];
    const answer = await set(developer, variables).expect(200);
    expect(answer.body).toEqual({
      changed: true,
      changes: [
        { name: 'API_KEY', component: null, kind: 'secret', action: 'created', version: 1 },
        { name: 'LEVEL', component: null, kind: 'plain', action: 'created', version: 1 },
      ],
    });
    const shown = await call(viewer, 'get').expect(200);
    expect(shown.body).toMatchObject({
      items: [
        { name: 'API_KEY', value: REDACTED, kind: 'secret', origin: 'project', version: 1, setBy: { email: developer.email }, inUse: null },
        { name: 'LEVEL', value: 'debug', kind: 'plain' },
      ],
    });
    expect(JSON.stringify(shown.body)).not.toContain(SECRET);
    expect(shown.headers['etag']).toBe('"2"');
    await call(admin, 'get').expect(200);
    await set(viewer, variables).expect(403);
    await set(admin, variables).expect(403);
    expect((await set(stranger, variables).expect(404)).body).toMatchObject({ code: 'PROJECT_NOT_FOUND' });
    await call(stranger, 'get').expect(404);
    await platform.application.http.get(`/api/v1/projects/${id}/variables`).expect(401);
  });

  it('say of each value of a component where it comes from and what it hides', async () => {
    await set(owner, [{ name: 'LEVEL', value: 'project', kind: 'plain' }]).expect(200);
    await set(owner, [{ name: 'LEVEL', value: 'component', kind: 'plain' }], 'web').expect(200);
    await set(owner, [{ name: 'POSTGRES_PASSWORD', value: `${SECRET}-1` }], 'db').expect(200);
    expect(await list(owner, '?component=web')).toMatchObject([
      { name: 'DATABASE_URL', origin: 'file', value: '${db.POSTGRES_URL}', version: null, setBy: null },
      { name: 'LEVEL', origin: 'component', value: 'component', overrides: ['project', 'file'], version: 1 },
    ]);
    expect(await list(owner, '?component=db')).toMatchObject([{ name: 'POSTGRES_PASSWORD', origin: 'component', value: REDACTED }]);
    expect(await list()).toHaveLength(3);
    expect((await call(owner, 'get', '?component=nothing').expect(404)).body).toMatchObject({ code: 'COMPONENT_NOT_FOUND' });
    await call(owner, 'get', '?component=../x').expect(400);
  });

  it('take effect with the next deploy, and an old release keeps its own', async () => {
    await set(owner, [{ name: 'API_KEY', value: `${SECRET}-1` }]).expect(200);
    expect(await platform.run(owner, id, 'deploy')).toMatchObject({ state: 'succeeded', release: 1 });
    const wanted = (release: number) =>
      agent.desired.find((each) => each.projectId === id && each.component === 'web' && each.release === release);
    expect(wanted(1)).toMatchObject({ secretEnv: { API_KEY: `${SECRET}-1` } });
    expect(await list()).toMatchObject([{ inUse: true, version: 1 }]);
    await set(owner, [{ name: 'API_KEY', value: `${SECRET}-2` }]).expect(200);
    expect(await list()).toMatchObject([{ inUse: false, version: 2 }]);
    const plan = await platform.application.http
      .post(`/api/v1/teams/${owner.teamId}/plan`)
      .set(bearer(owner))
      .send({
        spec: { ...guestbook(digest, { web: { env: { LEVEL: 'info', DATABASE_URL: '${db.POSTGRES_URL}' } } }), name: `shop-${count}` },
      })
      .expect(200);
    expect(plan.body).toMatchObject({
      changes: expect.arrayContaining([expect.objectContaining({ component: 'web', reasons: ['variable API_KEY changed'] })]),
    });
    expect(await platform.run(owner, id, 'deploy')).toMatchObject({ state: 'succeeded', release: 2 });
    expect(wanted(2)).toMatchObject({ secretEnv: { API_KEY: `${SECRET}-2` } });
    expect(await list()).toMatchObject([{ inUse: true }]);
    await call(owner, 'delete', '/API_KEY').expect(204);
    expect(await list()).toEqual([]);
    expect(await platform.run(owner, id, 'deploy')).toMatchObject({ state: 'succeeded', release: 3 });
    expect(wanted(3)?.secretEnv).toEqual({});
    expect((await call(viewer, 'get', '/API_KEY/history').expect(200)).body).toMatchObject({
      items: [
        { version: 3, kind: 'removed', value: null },
        { version: 2, kind: 'secret', value: REDACTED },
        { version: 1, setBy: { email: owner.email } },
      ],
    });
  });

  it('keep what runs when a deploy fails: its release pins the versions before', async () => {
    await set(owner, [{ name: 'API_KEY', value: `${SECRET}-1` }]).expect(200);
    await platform.run(owner, id, 'deploy');
    await set(owner, [{ name: 'API_KEY', value: `${SECRET}-2` }]).expect(200);
    const { script } = agent;
    agent.script = (wanted) =>
      wanted.secretEnv['API_KEY'] === `${SECRET}-2` && wanted.desired === 'running'
        ? { state: 'failed', message: 'it broke' }
        : script(wanted);
    expect(await platform.run(owner, id, 'deploy')).toMatchObject({ state: 'rolled_back' });
    agent.script = script;
    const running = agent.desired.filter((each) => each.projectId === id && each.component === 'web' && each.desired === 'running');
    expect(running).toMatchObject([{ release: 1, secretEnv: { API_KEY: `${SECRET}-1` } }]);
    expect(await list()).toMatchObject([{ inUse: false, version: 2 }]);
  });

  it('are all set or none, and say each fault without the value', async () => {
    const bad = await set(owner, [
      { name: 'FINE', value: 'fine' },
      { name: '1ST', value: SECRET },
      { name: 'PATH', value: SECRET },
      { name: 'HITHE_TOKEN', value: SECRET },
      { name: 'LARGE', value: SECRET.repeat(3_000) },
      { name: 'NUL', value: `${SECRET}\0` },
      { name: 'MASK', value: REDACTED },
      { name: 'FINE', value: 'again' },
      { name: 'ELSEWHERE', value: 'vault:kv/x#y', kind: 'reference' },
    ]).expect(400);
    expect(faults(bad.body)).toEqual([
      'variables[7].name VARIABLE_DUPLICATE',
      'variables[1].name VARIABLE_NAME_INVALID',
      'variables[2].name VARIABLE_NAME_RESERVED',
      'variables[3].name VARIABLE_NAME_RESERVED',
      'variables[4].value VARIABLE_TOO_LARGE',
      'variables[5].value VARIABLE_HAS_NUL',
      'variables[6].value VARIABLE_IS_MASK',
      'variables[8].value SECRET_PROVIDER_MISSING',
    ]);
    expect(JSON.stringify(bad.body)).not.toContain(SECRET);
    expect(await list()).toEqual([]);
    expect(faults((await set(owner, [{ name: 'A', value: 'x' }], 'wb').expect(400)).body)).toEqual(['component COMPONENT_UNKNOWN']);
    expect(faults((await set(owner, [{ name: 'POSTGRES_PASSWORD', value: 'short' }], 'db').expect(400)).body)).toHaveLength(1);
    expect(faults((await set(owner, [{ name: 'POSTGRES_PASSWORD', value: SECRET, kind: 'plain' }], 'db').expect(400)).body)).toEqual([
      'variables[0].kind VARIABLE_MUST_BE_SECRET',
    ]);
    await call(owner, 'put', '', { variables: [] }).expect(400);
    await call(owner, 'put', '', { variables: [{ name: 'A', value: 1 }] }).expect(400);
    await call(owner, 'put', '', { variables: [{ name: 'A', value: 'x', teamId: stranger.teamId }] }).expect(400);
    await call(owner, 'delete', '/NOTHING').expect(404);
    await call(owner, 'get', '/NOTHING/history').expect(404);
  });

  it('R38: refuse control characters in names, and say so without them', async () => {
    const answer = await set(owner, [{ name: 'A\r\n\u001b[31mB', value: 'x' }]).expect(400);
    expect(faults(answer.body)).toEqual(['variables[0].name VARIABLE_NAME_INVALID']);
    expect(JSON.stringify(answer.body)).not.toContain('[31m');
  });

  it('make no new version of the same value, and know an older list', async () => {
    await set(owner, [{ name: 'API_KEY', value: SECRET }]).expect(200);
    expect((await set(owner, [{ name: 'API_KEY', value: SECRET }]).expect(200)).body).toMatchObject({
      changed: false,
      changes: [{ action: 'unchanged', version: 1 }],
    });
    const body = { variables: [{ name: 'API_KEY', value: `${SECRET}-2` }] };
    const put = (etag: string) => call(owner, 'put', '', body).set('If-Match', etag);
    expect((await put('"7"').expect(412)).body).toMatchObject({ code: 'VERSION_MISMATCH' });
    expect((await put('"1"').expect(200)).headers['etag']).toBe('"2"');
    await call(owner, 'delete', '/API_KEY').set('If-Match', '"1"').expect(412);
  });

  it('are imported from a .env file, after a look at what would change', async () => {
    await set(owner, [
      { name: 'LEVEL', value: 'info', kind: 'plain' },
      { name: 'SAME', value: SECRET },
      { name: 'GONE', value: 'x' },
    ]).expect(200);
    const text = `# comment\nexport LEVEL=debug\nSAME='${SECRET}'\nKEY="two\nlines"\n`;
    const changes = [
      { name: 'LEVEL', action: 'changed', kind: 'plain' },
      { name: 'SAME', action: 'unchanged' },
      { name: 'KEY', action: 'created', kind: 'secret' },
      { name: 'GONE', action: 'removed' },
    ];
    const asked = await call(owner, 'post', '/import', { text, prune: true, dryRun: true }).expect(200);
    expect(asked.body).toMatchObject({ changes });
    expect(asked.headers['etag']).toBe('"3"');
    expect(await list()).toHaveLength(3);
    expect((await call(owner, 'post', '/import', { text, prune: true }).expect(200)).body).toMatchObject({ changes });
    expect((await list()).map(({ name, value }) => [name, value])).toEqual([
      ['KEY', REDACTED],
      ['LEVEL', 'debug'],
      ['SAME', REDACTED],
    ]);
    const bad = await call(owner, 'post', '/import', { text: `A=1\n${SECRET}\n` }).expect(400);
    expect(faults(bad.body)).toEqual(['text, line 2 DOTENV_LINE']);
    expect(JSON.stringify(bad.body)).not.toContain(SECRET);
    await call(viewer, 'post', '/import', { text }).expect(403);
  });

  it('are revealed to those who may, each time in the audit log', async () => {
    await set(owner, [
      { name: 'API_KEY', value: SECRET },
      { name: 'LEVEL', value: 'debug', kind: 'plain' },
    ]).expect(200);
    const revealed = await call(owner, 'post', '/reveal', {}).expect(200);
    expect(revealed.headers['cache-control']).toBe('no-store');
    expect(revealed.body).toMatchObject({ items: [{ name: 'API_KEY', value: SECRET, version: 1 }] });
    expect((await call(owner, 'post', '/reveal', { names: ['LEVEL'] }).expect(200)).body).toMatchObject({ items: [{ value: 'debug' }] });
    expect(await audit('secret.revealed')).toMatchObject([{ details: { variables: [{ name: 'API_KEY', version: 1 }] } }, {}]);
    for (const user of [developer, viewer, admin]) await call(user, 'post', '/reveal', {}).expect(403);
    await call(stranger, 'post', '/reveal', {}).expect(404);
    await call(owner, 'post', '/reveal', { names: ['NOTHING'] }).expect(404);
    await platform.application.http
      .post(`/api/v1/projects/${id}/variables/reveal`)
      .set(bearer(owner))
      .type('form')
      .send('names=API_KEY')
      .expect(400);
    expect(await audit('secret.revealed')).toHaveLength(2);
  });

  it('are revealed with what the platform made up for a component', async () => {
    await platform.run(owner, id, 'deploy');
    const body = (await call(owner, 'post', '/reveal', { component: 'db' }).expect(200)).body as {
      items: { name: string; value: string; origin: string }[];
    };
    expect(body.items.map(({ name }) => name)).toEqual(['POSTGRES_PASSWORD', 'POSTGRES_SUPERUSER_PASSWORD']);
    for (const item of body.items) expect(item).toMatchObject({ origin: 'generated', value: expect.stringMatching(/^[\w-]{32}$/) });
  });

  it('R42: do not change and are not revealed when the audit log cannot be written', async () => {
    await set(owner, [{ name: 'API_KEY', value: SECRET }]).expect(200);
    const database = new pg.Client({ connectionString: superuserUrl(new URL(platform.application.config.databaseUrl).pathname.slice(1)) });
    await database.connect();
    await database.query('ALTER TABLE audit_events ADD CONSTRAINT ck_refuse CHECK (false) NOT VALID');
    try {
      expect((await call(owner, 'post', '/reveal', {}).expect(503)).text).not.toContain(SECRET);
      await set(owner, [{ name: 'API_KEY', value: `${SECRET}-2` }]).expect(503);
    } finally {
      await database.query('ALTER TABLE audit_events DROP CONSTRAINT ck_refuse');
      await database.end();
    }
    expect(await list()).toMatchObject([{ version: 1 }]);
  });

  it('are exported as a .env file that imports the same', async () => {
    const values = { A: 'plain', B: `it's "quoted"`, C: 'two\nlines', D: '#no comment', E: ' padded ', F: '${not} expanded' };
    await set(
      owner,
      Object.entries(values).map(([name, value]) => ({ name, value })),
    ).expect(200);
    const exported = await call(owner, 'post', '/export', {}).expect(200);
    expect(exported.headers['cache-control']).toBe('no-store');
    const { text, count: written } = exported.body as { text: string; count: number };
    expect(written).toBe(6);
    expect((await call(owner, 'post', '/import', { text, dryRun: true }).expect(200)).body).toMatchObject({ changed: false });
    expect(await audit('secret.exported')).toHaveLength(1);
    for (const user of [developer, viewer, admin]) await call(user, 'post', '/export', {}).expect(403);
  });

  it('are in the audit log with who, before and after, secrets as fingerprints', async () => {
    await set(owner, [{ name: 'API_KEY', value: SECRET }]).expect(200);
    await set(developer, [{ name: 'API_KEY', value: `${SECRET}-2` }]).expect(200);
    await call(owner, 'delete', '/API_KEY').expect(204);
    const events = await audit('secret.set');
    expect(events).toMatchObject([
      { actor_id: owner.id, subject_name: 'API_KEY' },
      { actor_id: developer.id, before: { kind: 'secret', version: 1 }, after: { version: 2 } },
    ]);
    const [first, second] = events as unknown as { after: { fingerprint: string }; before: { fingerprint: string } }[];
    expect(second?.before.fingerprint).toBe(first?.after.fingerprint);
    expect(await audit('secret.removed')).toHaveLength(1);
    expect(JSON.stringify(events)).not.toContain(SECRET);
  });
});
