import { readFile, stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { asSystem } from '../../src/common/request-context.js';
import { AuditHeads } from '../../src/modules/audit/audit-heads.js';
import { hashOfRecord, recordOfJsonLine } from '../../src/modules/audit/domain/audit-record.js';
import { TestApplication, type TestUser, bearer } from '../support/application.js';
import { superuserUrl } from '../support/database.js';
import { until } from '../support/until.js';

interface Event {
  seq: number;
  id: string;
  action: string;
  outcome: string;
  actorEmail: string | null;
  teamId: string | null;
  subjectType: string;
  subjectId: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  details: Record<string, unknown> | null;
}
interface Problem {
  seq: number;
  problem: string;
}
interface Found {
  ok: boolean;
  checked: number;
  heads: number;
  problems: Problem[];
}

const spec = (name: string, version = '8') => ({ spec: { name, components: { cache: { port: 'valkey', version } } } });

describe('the audit log', () => {
  let application: TestApplication;
  let owner: TestUser;
  let auditor: TestUser;
  let developer: TestUser;
  let viewer: TestUser;
  let stranger: TestUser;
  let admin: TestUser;
  let teamId: string;
  let superuser: pg.Client;

  const get = (user: TestUser, path: string) => application.http.get(`/api/v1/audit/${path}`).set(bearer(user));
  const post = (user: TestUser, path: string, body: object = {}) =>
    application.http.post(`/api/v1/audit/${path}`).set(bearer(user)).send(body);
  const list = async (user: TestUser, query = ''): Promise<Event[]> =>
    ((await get(user, `events?limit=200${query}`).expect(200)).body as { items: Event[] }).items;
  const actions = async (user: TestUser, query = '') => (await list(user, query)).map((event) => event.action);
  const apply = (user: TestUser, name: string, version?: string) =>
    application.http.put(`/api/v1/teams/${teamId}/projects/${name}`).set(bearer(user)).send(spec(name, version));
  const verify = async (body: object = {}): Promise<Found> => (await post(admin, 'verify', body).expect(200)).body as Found;
  /** What a superuser of the database does who switches the triggers off. */
  const tamper = async (sql: string): Promise<void> => {
    await superuser.query(`SET session_replication_role = replica`);
    await superuser.query(sql);
    await superuser.query(`RESET session_replication_role`);
  };

  beforeAll(async () => {
    application = await TestApplication.start();
    const database = new URL(application.config.requireDatabaseUrl()).pathname.slice(1);
    superuser = new pg.Client({ connectionString: superuserUrl(database) });
    await superuser.connect();
    owner = await application.user('owner@example.org');
    auditor = await application.user('auditor@example.org');
    developer = await application.user('developer@example.org');
    viewer = await application.user('viewer@example.org');
    stranger = await application.user('stranger@example.org');
    admin = await application.user('admin@example.org', { platformAdmin: true });
    const made = await application.http.post('/api/v1/teams').set(bearer(owner)).send({ name: 'Crew' }).expect(201);
    teamId = (made.body as { id: string }).id;
    for (const [user, role] of [
      [auditor, 'auditor'],
      [developer, 'developer'],
      [viewer, 'viewer'],
    ] as const)
      await application.http.put(`/api/v1/teams/${teamId}/members`).set(bearer(owner)).send({ email: user.email, role }).expect(200);
    await apply(owner, 'first').expect(201);
    await apply(developer, 'second').expect(201);
    await apply(developer, 'second', '9').expect(200);
  });

  afterAll(async () => {
    await superuser.end();
    await application.stop();
  });

  describe('what is recorded', () => {
    it('is who did what, from where, by which request, and only what changed', async () => {
      const [event] = await list(owner, '&action=project.applied');
      expect(event).toMatchObject({
        actorKind: 'user',
        actorId: developer.id,
        actorEmail: 'developer@example.org',
        address: expect.stringContaining('127.0.0.1'),
        sessionId: expect.any(String),
        requestId: expect.any(String),
        outcome: 'success',
        teamId,
        subjectType: 'project',
        subjectName: 'second',
        before: { specVersion: 1, spec: { components: { cache: { version: '8' } } } },
        after: { specVersion: 2, spec: { components: { cache: { version: '9' } } } },
      });
      expect((await get(owner, `events/${event?.id ?? ''}`).expect(200)).body).toEqual(event);
    });

    it('is nothing when nothing changed', async () => {
      const before = await list(owner);
      await apply(developer, 'second', '9').expect(200);
      expect(await list(owner)).toEqual(before);
    });

    it('R43: is never a secret', async () => {
      const secret = 'a-marked-secret-4711';
      const components = { db: { port: 'postgres', version: '17', vars: { POSTGRES_PASSWORD: secret } } };
      await application.http
        .put(`/api/v1/teams/${teamId}/projects/third`)
        .set(bearer(owner))
        .send({ spec: { name: 'third', components } })
        .expect(201);
      const event = (await list(owner, '&subject=third')).find(({ action }) => action === 'project.created');
      expect(event?.details).toEqual({ secrets: { 'db/POSTGRES_PASSWORD': expect.stringMatching(/^hmac-sha256:/) } });
      const { rows } = await superuser.query(`SELECT count(*)::int AS n FROM audit_events e WHERE e::text LIKE '%${secret}%'`);
      expect(rows).toEqual([{ n: 0 }]);
    });

    it('is every denied attempt, once for many of the same', async () => {
      for (let times = 0; times < 5; times += 1) await apply(viewer, 'nope').expect(403);
      const denied = (await list(owner, '&outcome=denied')).filter(({ actorEmail }) => actorEmail === viewer.email);
      expect(denied).toEqual([
        expect.objectContaining({
          action: 'access.denied',
          teamId,
          details: expect.objectContaining({ status: 403, method: 'PUT', path: `/api/v1/teams/${teamId}/projects/nope` }),
        }),
      ]);
    });

    it('is a refused credential, and not each caller without any', async () => {
      await application.http.get('/api/v1/me').expect(401);
      expect(await list(admin, '&action=access.refused')).toEqual([]);
      await application.http.get('/api/v1/me').set('Authorization', 'Bearer nonsense').expect(401);
      expect(await list(admin, '&action=access.refused')).toEqual([
        expect.objectContaining({
          outcome: 'denied',
          actorKind: 'anonymous',
          teamId: null,
          details: expect.objectContaining({ status: 401 }),
        }),
      ]);
    });
  });

  describe('who reads what', () => {
    it('is: owners and auditors their team, developers what they did, viewers and strangers nothing of it', async () => {
      const team = `&teamId=${teamId}`;
      const all = await actions(owner, team);
      expect(all).toEqual(expect.arrayContaining(['project.created', 'project.applied', 'access.denied']));
      expect(await actions(auditor, team)).toEqual(all);
      const own = await list(developer, team);
      expect(own.length).toBeGreaterThan(0);
      expect(new Set(own.map(({ actorEmail }) => actorEmail))).toEqual(new Set([developer.email]));
      await get(viewer, `events?teamId=${teamId}`).expect(403);
      expect(await list(viewer, '&action=project.')).toEqual([]);
      await get(stranger, `events?teamId=${teamId}`).expect(404);
    });

    it('is: platform administrators what belongs to no team (and to their own)', async () => {
      const seen = await list(admin);
      expect(seen.length).toBeGreaterThan(0);
      expect(new Set(seen.map((event) => event.teamId))).toEqual(new Set([null, admin.teamId]));
    });

    it('R27: another team’s event, team and project answer 404', async () => {
      const [event] = await list(owner, `&teamId=${teamId}`);
      const [project] = await list(owner, '&action=project.created');
      await get(stranger, `events/${event?.id ?? ''}`).expect(404);
      await get(viewer, `events/${event?.id ?? ''}`).expect(404);
      for (const path of ['events', 'follow', 'export'])
        for (const filter of [`teamId=${teamId}`, `projectId=${project?.subjectId ?? ''}`, `projectId=${teamId}`])
          await get(stranger, `${path}?${filter}`).expect(404);
    });

    it('export is for owners, admins and auditors; proofs are for the platform', async () => {
      await get(auditor, `export?teamId=${teamId}`).expect(200);
      for (const user of [developer, viewer, admin]) await get(user, `export?teamId=${teamId}`).expect(403);
      for (const user of [owner, auditor, developer, viewer, stranger]) {
        await post(user, 'verify').expect(403);
        await post(user, 'archives', { before: '2026-01-01T00:00:00Z' }).expect(403);
      }
    });
  });

  describe('filters', () => {
    it.each([
      ['user=developer@example.org', (event: Event) => event.actorEmail === 'developer@example.org'],
      ['action=project.', (event: Event) => event.action.startsWith('project.')],
      ['outcome=denied', (event: Event) => event.outcome === 'denied'],
      ['subject=second', (event: Event) => event.subjectType === 'project'],
      ['text=SECOND', (event: Event) => JSON.stringify(event).includes('second')],
    ])('%s', async (filter, fits) => {
      const found = await list(owner, `&${filter}`);
      expect(found.length).toBeGreaterThan(0);
      expect(found.every(fits)).toBe(true);
      expect(found.length).toBeLessThan((await list(owner)).length);
    });

    it('by time, and by nothing that is none', async () => {
      const all = await list(owner);
      const [newest] = all as [Event & { at: string }];
      expect(await list(owner, `&until=${newest.at}`)).toHaveLength(all.length - 1);
      expect(await list(owner, `&since=${newest.at}`)).toHaveLength(1);
      expect(await list(owner, '&text=%25')).toEqual([]);
      await get(owner, 'events?since=yesterday').expect(400);
      await get(owner, 'events?outcome=fine').expect(400);
      await get(owner, 'events?cursor=abc').expect(400);
      await get(owner, 'events?password=x').expect(400);
    });

    it('go over pages without a gap, newest first', async () => {
      const all = (await list(owner)).map(({ seq }) => seq);
      const seen: number[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const page = (await get(owner, `events?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`).expect(200)).body as {
          items: Event[];
          nextCursor: string | null;
        };
        seen.push(...page.items.map(({ seq }) => seq));
        cursor = page.nextCursor;
      }
      expect(seen).toEqual(all);
      expect(seen).toEqual([...seen].sort((a, b) => b - a));
    });
  });

  describe('an export', () => {
    it('has lines that carry their own proof, and is an event itself', async () => {
      const answer = await get(auditor, `export?teamId=${teamId}&action=project.`).buffer(true).expect(200);
      const records = answer.text.trim().split('\n').map(recordOfJsonLine);
      expect(records.length).toBeGreaterThan(2);
      for (const record of records) expect(hashOfRecord(record)).toBe(record.hash);
      expect(await list(owner, '&action=audit.exported')).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ actorEmail: auditor.email, details: expect.objectContaining({ format: 'jsonl' }) }),
        ]),
      );
    });

    it('with `chain` tells of other events their place only, so that it can be followed from the first to the last', async () => {
      const answer = await get(auditor, `export?teamId=${teamId}&chain=true`).buffer(true).expect(200);
      const lines = answer.text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown> & { seq: number; hash: string; previousHash: string });
      for (const [index, line] of lines.entries()) {
        expect([line.seq, line.previousHash]).toEqual([index + 1, lines[index - 1]?.hash ?? '0'.repeat(64)]);
        if (line['id'] === undefined) expect(Object.keys(line).sort()).toEqual(['hash', 'previousHash', 'seq']);
        else expect(line['teamId']).toBe(teamId);
      }
      expect(lines.some((line) => line['id'] === undefined)).toBe(true);
    });

    it('as CSV has a header and a line for each', async () => {
      const answer = await get(owner, `export?format=csv&teamId=${teamId}`).buffer(true).expect(200);
      expect(answer.headers['content-type']).toContain('text/csv');
      expect(answer.text.startsWith('seq,at,actorKind,')).toBe(true);
      expect(answer.text.trim().split('\n').length).toBeGreaterThan(4);
    });
  });

  it('is followed from any event on, without a gap', async () => {
    const [newest] = await list(owner);
    await apply(owner, 'fourth').expect(201);
    const url = `${await application.app.getUrl()}/api/v1/audit/follow?action=project.`;
    const leave = new AbortController();
    const answer = await fetch(url, { headers: { ...bearer(owner), 'Last-Event-ID': String(newest?.seq) }, signal: leave.signal });
    let text = '';
    const reading = (async () => {
      for await (const chunk of answer.body ?? []) text += Buffer.from(chunk as Uint8Array).toString();
    })().catch(() => undefined);
    await until(() => text.includes('fourth'));
    await apply(owner, 'fifth').expect(201);
    await until(() => text.includes('fifth'));
    leave.abort();
    await reading;
    expect(text.match(/"subjectName":"\w+"/g)).toEqual(['"subjectName":"fourth"', '"subjectName":"fifth"']);
  });

  describe('R42: when the log cannot be written', () => {
    it('changes and log-ins answer 503 and nothing has changed; reads go on', async () => {
      await superuser.query('ALTER TABLE audit_head RENAME TO audit_head_gone');
      try {
        expect((await apply(owner, 'never').expect(503)).body).toMatchObject({ code: 'AUDIT_UNAVAILABLE', fix: expect.any(String) });
        await application.http.post('/api/v1/auth/login').send({ email: owner.email, password: owner.password }).expect(503);
        await application.http.get(`/api/v1/teams/${teamId}`).set(bearer(owner)).expect(200);
        await apply(viewer, 'still-refused').expect(403);
      } finally {
        await superuser.query('ALTER TABLE audit_head_gone RENAME TO audit_head');
      }
      const { rows } = await superuser.query(`SELECT 1 FROM projects WHERE name = 'never'`);
      expect(rows).toEqual([]);
      await apply(owner, 'at-last').expect(201);
    });
  });

  describe('the proof', () => {
    const heads = () => application.app.get(AuditHeads, { strict: false });

    it('finds a whole log whole, and publishes its head signed, in a file of its own key', async () => {
      const head = await heads().publish();
      expect(head).toMatchObject({ seq: expect.any(Number) });
      expect(await heads().publish()).toBeUndefined();
      const { auditKey, audit } = application.config.paths.control;
      expect((await stat(auditKey)).mode & 0o777).toBe(0o600);
      expect((await readFile(audit.heads, 'utf8')).trim().split('\n').at(-1)).toBe(JSON.stringify(head));
      expect(await verify()).toMatchObject({ ok: true, problems: [] });
      expect((await verify({ heads: [head] })).heads).toBeGreaterThan(1);
      expect((await list(admin, '&action=audit.verified')).length).toBe(2);
    });

    it('R40: names a row that a superuser edited, and one that was deleted', async () => {
      const victims = (await list(owner, '&action=project.created')).map(({ seq }) => seq);
      const [edited = 0, deleted = 0] = victims;
      const { rows } = await superuser.query<{ row: object }>('SELECT to_json(e) AS row FROM audit_events e WHERE seq = $1', [deleted]);
      await tamper(`UPDATE audit_events SET actor_email = 'innocent@example.org' WHERE seq = ${edited}`);
      await tamper(`DELETE FROM audit_events WHERE seq = ${deleted}`);
      const found = await verify();
      expect(found.ok).toBe(false);
      expect(found.problems).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ seq: edited, problem: 'edited' }),
          expect.objectContaining({ seq: deleted, problem: 'missing' }),
        ]),
      );
      expect(found.problems).toHaveLength(2);
      await tamper(`UPDATE audit_events SET actor_email = 'owner@example.org' WHERE seq = ${edited}`);
      await tamper(
        `INSERT INTO audit_events SELECT * FROM json_populate_record(NULL::audit_events, '${JSON.stringify(rows[0]?.row).replaceAll("'", "''")}')`,
      );
    });

    it('R41: finds a cut tail through the head that was published outside', async () => {
      await asSystem('test', () => heads().publish());
      const { rows } = await superuser.query<{ seq: string }>('SELECT max(seq) AS seq FROM audit_events');
      const last = Number(rows[0]?.seq);
      await superuser.query('CREATE TABLE kept AS SELECT * FROM audit_events WHERE seq > $1', [last - 3].map(String));
      await tamper(`DELETE FROM audit_events WHERE seq > ${last - 3}`);
      await tamper(`UPDATE audit_head h SET seq = e.seq, hash = e.hash, at = e.at FROM audit_events e WHERE e.seq = ${last - 3}`);
      const found = await verify();
      expect(found.problems).toEqual([expect.objectContaining({ seq: last - 2, problem: 'cut' })]);
    });

    it('R41: finds a chain that was written anew, with right hashes, through the head that was published outside', async () => {
      // The verification before has appended an event in the place of one that was cut.
      await apply(owner, 'a-new-tail').expect(201);
      await apply(owner, 'a-newer-tail').expect(201);
      await apply(owner, 'the-newest-tail').expect(201);
      const found = await verify();
      expect(found.problems.map(({ problem }) => problem)).toContain('head-mismatch');
      expect(found.problems.map(({ problem }) => problem)).not.toContain('edited');
      // What was rewritten gets no new signature.
      expect(await heads().publish()).toBeUndefined();
      expect((await application.http.get('/api/v1/health').expect(200)).body).toMatchObject({ parts: { audit: { ok: false } } });
    });
  });
});
