import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { CliHarness, type Ran } from '../../cli/src/testing/cli-harness.js';
import { AuditHeads } from '../../src/modules/audit/audit-heads.js';
import { TestApplication, type TestUser } from '../support/application.js';
import { superuserUrl } from '../support/database.js';

interface Line {
  seq: number;
  hash: string;
  previousHash: string;
  actorEmail?: string;
}

describe('hithe audit', () => {
  let application: TestApplication;
  let cli: CliHarness;
  let admin: TestUser;
  let owner: TestUser;
  let superuser: pg.Client;
  let keys: string;
  let heads: string;

  const run = async (user: TestUser, ...argv: string[]): Promise<Ran> =>
    cli.run(['audit', ...argv], { env: { HITHE_SERVER: await application.app.getUrl(), HITHE_TOKEN: user.accessToken } });
  const exported = async (): Promise<Line[]> => {
    const { code, stderr } = await run(owner, 'export', '--chain', '--out', join(cli.directory, 'audit.jsonl'));
    expect([code, stderr]).toEqual([0, '']);
    return (await readFile(join(cli.directory, 'audit.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
  };
  const verifyFile = async (lines: readonly Line[], ...more: string[]): Promise<Ran> => {
    const file = join(cli.directory, 'changed.jsonl');
    await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    // No server and no log-in: the files alone decide.
    return cli.run(['audit', 'verify', '--file', file, ...more]);
  };

  beforeAll(async () => {
    application = await TestApplication.start();
    cli = await CliHarness.create();
    admin = await application.user('admin@example.org', { platformAdmin: true });
    owner = await application.user('owner@example.org');
    for (const name of ['one', 'two', 'three']) {
      await application.http
        .put(`/api/v1/teams/${owner.teamId}/projects/${name}`)
        .set('Authorization', `Bearer ${owner.accessToken}`)
        .send({ spec: { name, components: { cache: { port: 'valkey', version: '8' } } } })
        .expect(201);
    }
    superuser = new pg.Client({ connectionString: superuserUrl(new URL(application.config.requireDatabaseUrl()).pathname.slice(1)) });
    await superuser.connect();
    await application.app.get(AuditHeads, { strict: false }).publish();
    keys = join(cli.directory, 'audit.pub');
    heads = join(cli.directory, 'heads.jsonl');
    await writeFile(keys, (await run(owner, 'key')).stdout);
    await writeFile(heads, await readFile(application.config.paths.control.audit.heads));
  });

  afterAll(async () => {
    await superuser.end();
    await application.stop();
    await cli[Symbol.asyncDispose]();
  });

  it('lists who did what, filtered, as a table and as JSON', async () => {
    const table = await run(owner, '--action', 'project.', '--since', '1h');
    expect(table.code).toBe(0);
    expect(table.stdout).toMatch(/SEQ\s+TIME\s+WHO\s+FROM\s+ACTION\s+SUBJECT\s+OUTCOME\s+ID/);
    expect(table.stdout).toMatch(/owner@example\.org\s+\S*127\.0\.0\.1\s+project\.created\s+project three\s+success/);
    const json = JSON.parse((await run(owner, '--json', '--action', 'project.', '-n', '2')).stdout) as Line[];
    expect(json).toHaveLength(2);
    expect((await run(owner, '--since', 'long ago')).code).toBe(2);
  });

  it('shows one event with what came of it', async () => {
    const [event] = JSON.parse((await run(owner, '--json', '--subject', 'two')).stdout) as { id: string }[];
    const shown = await run(owner, 'show', event?.id ?? '');
    expect(shown.stdout).toContain('project.created');
    expect(shown.stdout).toMatch(/after\n {2}\{\n/);
    expect((await run(owner, 'show', owner.teamId)).code).toBe(4);
  });

  it('exports CSV to the standard output', async () => {
    const { code, stdout } = await run(owner, 'export', '--format', 'csv', '--action', 'project.');
    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toMatch(/^seq,at,/);
    expect(stdout.trim().split('\n')).toHaveLength(4);
  });

  it('proves an exported file with nothing but signed heads and their key', async () => {
    const { code, stdout } = await verifyFile(await exported(), '--heads', heads, '--key', keys);
    expect(stdout).toContain('The audit log is whole.');
    expect(code).toBe(0);
    const blind = await verifyFile(await exported());
    expect(blind.stdout).toContain('Without signed heads');
  });

  it('R40, R41: names what was edited, deleted, cut or written anew in an exported file', async () => {
    const lines = await exported();
    const problemsOf = (ran: Ran): [number, string][] =>
      (JSON.parse(ran.stdout) as { problems: { seq: number; problem: string }[] }).problems.map(({ seq, problem }) => [seq, problem]);
    const check = async (changed: readonly Line[]): Promise<[number, string][]> => {
      const ran = await verifyFile(changed, '--json', '--heads', heads, '--key', keys);
      expect(ran.code).toBe(1);
      return problemsOf(ran);
    };
    const victim = lines.findIndex((line) => line.actorEmail !== undefined);
    const seq = lines[victim]?.seq ?? 0;
    expect(await check(lines.map((line, index) => (index === victim ? { ...line, actorEmail: 'innocent@example.org' } : line)))).toEqual([
      [seq, 'edited'],
    ]);
    expect(await check(lines.filter((_, index) => index !== victim))).toEqual([[seq, 'missing']]);
    const [head] = (await readFile(heads, 'utf8'))
      .trim()
      .split('\n')
      .slice(-1)
      .map((line) => JSON.parse(line) as Line);
    expect(await check(lines.filter((line) => line.seq < (head?.seq ?? 0)))).toEqual([[head?.seq, 'cut']]);
    const other = lines
      .map((line) => (line.seq === head?.seq ? { seq: line.seq, previousHash: line.previousHash, hash: 'f'.repeat(64) } : line))
      .slice(0, head?.seq);
    expect(await check(other)).toEqual([[head?.seq, 'head-mismatch']]);
  });

  it('does not believe heads that nobody signed', async () => {
    const forged = join(cli.directory, 'forged.jsonl');
    await writeFile(forged, (await readFile(heads, 'utf8')).replaceAll('"seq":', '"seq":1'));
    const { code, stderr } = await verifyFile(await exported(), '--heads', forged, '--key', keys);
    expect(code).toBe(2);
    expect(stderr).toContain('is not signed by a key');
    expect((await verifyFile(await exported(), '--heads', heads)).stderr).toContain('--key');
  });

  it('R40, R41: asks the server, and ends with 1 when the log is not whole', async () => {
    const whole = await run(admin, 'verify', '--heads', heads);
    expect([whole.code, whole.stdout]).toEqual([0, expect.stringContaining('The audit log is whole.')]);
    expect((await run(owner, 'verify')).code).toBe(6);
    await superuser.query('SET session_replication_role = replica');
    await superuser.query(`UPDATE audit_events SET outcome = 'denied' WHERE seq = 2`);
    await superuser.query('DELETE FROM audit_events WHERE seq = 4');
    const broken = await run(admin, 'verify');
    expect(broken.code).toBe(1);
    expect(broken.stdout).toMatch(/\n2\s+edited\s+Event 2 /);
    expect(broken.stdout).toMatch(/\n4\s+missing\s+Event 4 is missing/);
    const refused = await run(admin, 'archive', '--before', new Date(Date.now() + 60_000).toISOString(), '--confirm', 'archive');
    expect(refused.code).toBe(5);
    expect(refused.stderr).toContain('hithe audit verify');
  });
});
