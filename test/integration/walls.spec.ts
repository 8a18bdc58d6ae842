import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { assertServingRole } from '../../src/database/serving-role.js';
import { dataSourceOptions, migrationDataSource } from '../../src/database/data-source.js';
import { TransactionRunner, sqlState } from '../../src/database/transaction-runner.js';
import { type RequestContext, asSystem, withRequestContext } from '../../src/common/request-context.js';
import { type TestDatabase, createTestDatabase, superuserUrl } from '../support/database.js';

const PERMISSION_DENIED = '42501';

/** Tables with a column of this name that are open to everybody who may query at all, each with its reason. */
const OPEN_TABLES: Readonly<Record<string, string>> = {};

interface Row {
  name: string;
}

let database: TestDatabase;
let owner: DataSource;
const open: DataSource[] = [];

/** A pool of the control plane's own kind. */
async function pool(size: number): Promise<DataSource> {
  const dataSource = await new DataSource(dataSourceOptions({ url: database.url, pool: size })).initialize();
  open.push(dataSource);
  return dataSource;
}

const memberOf = (...teams: string[]): RequestContext => ({ actor: { userId: randomUUID(), email: 'ada@example.org', teams } });
const administrator: RequestContext = { actor: { userId: randomUUID(), email: 'root@example.org', teams: 'all' } };
const as = <T>(context: RequestContext, work: () => Promise<T>): Promise<T> => withRequestContext(context, work);

/** A team with two projects and a secret in the first, made by the owner of the tables. */
async function team(name: string): Promise<string> {
  const teamId = randomUUID();
  const [numbered] = await owner.query<{ number: number }[]>(`SELECT nextval('tenant_numbers')::int AS number`);
  await owner.query('INSERT INTO teams (id, slug, name, number) VALUES ($1, $2, $2, $3)', [teamId, name, numbered?.number]);
  for (const project of ['one', 'two']) {
    await owner.query(`INSERT INTO projects (id, team_id, name, spec) VALUES ($1, $2, $3, '{}')`, [
      randomUUID(),
      teamId,
      `${name}-${project}`,
    ]);
  }
  return teamId;
}

const names = async (dataSource: Pick<DataSource, 'query'>): Promise<string[]> =>
  (await dataSource.query<Row[]>('SELECT name FROM projects ORDER BY name')).map((row) => row.name);

let red: string;
let blue: string;

beforeAll(async () => {
  database = await createTestDatabase();
  owner = await migrationDataSource(database.ownerUrl).initialize();
  [red, blue] = [await team('red'), await team('blue')];
});

afterEach(async () => {
  for (const dataSource of open.splice(0)) await dataSource.destroy();
});

afterAll(async () => {
  await owner.destroy();
});

describe('row-level security', () => {
  it('R31: without a context nothing can be written', async () => {
    const app = await pool(2);
    const write = app.query(`INSERT INTO projects (id, team_id, name, spec) VALUES ($1, $2, 'smuggled', '{}')`, [randomUUID(), red]);
    await expect(write).rejects.toThrow('violates row-level security policy');
    expect(await app.query(`UPDATE projects SET name = 'mine'`)).toEqual([[], 0]);
    expect(await app.query('DELETE FROM projects')).toEqual([[], 0]);
  });

  it('R31: every protected table has no rows without a context, and none of another team', async () => {
    const filled = await createTestDatabase();
    const green = await fillEveryTable(filled);
    const app = await new DataSource(dataSourceOptions({ url: filled.url, pool: 2 })).initialize();
    open.push(app);
    for (const name of green.tables) {
      const count = async () => (await app.query<unknown[]>(`SELECT 1 FROM ${name}`)).length;
      const seen = {
        name,
        nobody: await count(),
        others: await as(memberOf(randomUUID()), count),
        platform: await asSystem('test', count),
        ...(green.ofTeam.includes(name) ? { team: await as(memberOf(green.teamId), count) } : {}),
      };
      expect(seen).toEqual({ name, nobody: 0, others: 0, platform: 1, ...(green.ofTeam.includes(name) ? { team: 1 } : {}) });
    }
    expect(green.tables.length).toBeGreaterThanOrEqual(11);
  });

  it('R31: a request whose caller is not known yet reaches nothing', async () => {
    const app = await pool(1);
    expect(await as({ requestId: 'r', address: '192.0.2.1' }, () => names(app))).toEqual([]);
  });

  it('shows a member the rows of their teams, an administrator and the platform all', async () => {
    const app = await pool(2);
    expect(await as(memberOf(red), () => names(app))).toEqual(['red-one', 'red-two']);
    expect(await as(memberOf(red, blue), () => names(app))).toHaveLength(4);
    expect(await as(memberOf(), () => names(app))).toEqual([]);
    expect(await as(administrator, () => names(app))).toHaveLength(4);
    expect(await asSystem('test', () => names(app))).toHaveLength(4);
  });

  it('lets nobody write a row of another team, nor give one away', async () => {
    const app = await pool(1);
    const insert = `INSERT INTO projects (id, team_id, name, spec) VALUES ($1, $2, $3, '{}')`;
    await as(memberOf(red), () => app.query(insert, [randomUUID(), red, 'red-three']));
    await expect(as(memberOf(red), () => app.query(insert, [randomUUID(), blue, 'theirs']))).rejects.toThrow('row-level security');
    await expect(as(memberOf(red), () => app.query('UPDATE projects SET team_id = $1', [blue]))).rejects.toThrow('row-level security');
    expect(await as(memberOf(blue), () => app.query(`DELETE FROM projects WHERE name = 'red-three'`))).toEqual([[], 0]);
    expect(await as(memberOf(red), () => app.query(`DELETE FROM projects WHERE name = 'red-three'`))).toEqual([[], 1]);
  });

  it('covers what belongs to a project through the project', async () => {
    const app = await pool(1);
    const [project] = await owner.query<{ id: string }[]>(`SELECT id FROM projects WHERE name = 'red-one'`);
    const id = randomUUID();
    await owner.query(`INSERT INTO releases (id, project_id, number, spec, components, created_by) VALUES ($1, $2, 1, '{}', '[]', $3)`, [
      id,
      project?.id,
      randomUUID(),
    ]);
    const releases = () => app.query<unknown[]>('SELECT id FROM releases');
    expect(await as(memberOf(red), releases)).toEqual([{ id }]);
    expect(await as(memberOf(blue), releases)).toEqual([]);
    expect(await asSystem('test', releases)).toEqual([{ id }]);
  });

  it('asks for the context once in a query, not once for each row, and leaves indexes in use', async () => {
    const app = await pool(1);
    await owner.query('ANALYZE projects');
    const plan = await as(memberOf(red), () =>
      app.transaction(async (tx) => {
        await tx.query('SET LOCAL enable_seqscan = off');
        return tx.query<Record<string, string>[]>(`EXPLAIN SELECT * FROM projects WHERE team_id = $1 AND name = 'red-one'`, [red]);
      }),
    );
    const text = plan.map((line) => line['QUERY PLAN']).join('\n');
    expect(text).toContain('InitPlan');
    expect(text).toContain('uq_projects_team_id_name');
  });

  it('R32: nothing of a context is left on a pooled connection, whatever ended the work', async () => {
    const app = await pool(1);
    const transactions = new TransactionRunner(app);
    const nothingLeft = async () => {
      // Past the client's own way of asking, which would set a context again.
      const runner = app.createQueryRunner();
      const connection = (await runner.connect()) as { query(asked: { text: string }): Promise<{ rows: unknown[] }> };
      const [left] = (await connection.query({ text: LEFT })).rows;
      await runner.release();
      expect(left).toEqual({ teams: null, user: null });
      expect(await names(app)).toEqual([]);
    };
    await as(administrator, () => names(app));
    await nothingLeft();
    await expect(as(administrator, () => app.query('SELECT 1 / 0'))).rejects.toThrow('division by zero');
    await nothingLeft();
    await expect(as(administrator, () => app.query('SELECT nonsense'))).rejects.toThrow('nonsense');
    await nothingLeft();
    await as(administrator, () => transactions.run((tx) => names(tx)));
    await nothingLeft();
    const broken = transactions.run(async (tx) => {
      expect(await asSystem('test', () => names(tx))).toHaveLength(4);
      await tx.query('SELECT 1 / 0');
    });
    await expect(broken).rejects.toThrow('division by zero');
    await nothingLeft();
    await expect(
      as(administrator, () =>
        transactions.run(async (tx) => {
          await names(tx);
          throw new Error('thought better of it');
        }),
      ),
    ).rejects.toThrow('thought better');
    await nothingLeft();
    await as(administrator, () => transactions.statement('SELECT name FROM projects', []));
    await nothingLeft();
  });

  it('R32: in a transaction each statement has the context of its own caller', async () => {
    const app = await pool(1);
    await as(memberOf(red), () =>
      app.transaction(async (tx) => {
        expect(await names(tx)).toHaveLength(2);
        expect(await asSystem('test', () => names(tx))).toHaveLength(4);
        expect(await names(tx)).toHaveLength(2);
        // Savepoints turn settings back; the next statement brings its own again.
        await tx.transaction((inner) => asSystem('test', () => inner.query('SELECT 1 / 0'))).catch(() => undefined);
        expect(await names(tx)).toHaveLength(2);
      }),
    );
    expect(await names(app)).toEqual([]);
  });

  it('R32: the contexts of two teams on few connections never mix', async () => {
    const app = await pool(3);
    const transactions = new TransactionRunner(app);
    const look = async (index: number): Promise<boolean> => {
      const [id, prefix] = index % 2 === 0 ? [red, 'red-'] : [blue, 'blue-'];
      const found = await as(memberOf(id), async () => {
        if (index % 3 === 0) return transactions.run((tx) => names(tx));
        if (index % 7 === 0) await app.query('SELECT 1 / 0').catch(() => undefined);
        return names(app);
      });
      return found.length === 2 && found.every((name) => name.startsWith(prefix));
    };
    const looks = await Promise.all(Array.from({ length: 400 }, (_, index) => look(index)));
    expect(looks.filter((right) => !right)).toEqual([]);
    expect(await names(app)).toEqual([]);
  });

  it('is on, and forced, on every table with rows of a team or a project', async () => {
    const belonging = await owner.query<(Row & { enabled: boolean; forced: boolean; policies: number })[]>(
      `SELECT c.relname AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
              (SELECT count(*)::int FROM pg_policy p WHERE p.polrelid = c.oid) AS policies
         FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
          AND (c.relname = 'teams' OR EXISTS (SELECT 1 FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attname IN ('team_id', 'project_id', 'deployment_id') AND NOT a.attisdropped))
        ORDER BY 1`,
    );
    const bare = belonging.filter((table) => !(table.enabled && table.forced && table.policies > 0)).map((table) => table.name);
    expect(bare.filter((name) => !(name in OPEN_TABLES))).toEqual([]);
    expect(Object.keys(OPEN_TABLES).filter((name) => !bare.includes(name))).toEqual([]);
    expect(belonging.length).toBeGreaterThanOrEqual(9);
  });
});

const LEFT = `SELECT nullif(current_setting('hithe.teams', true), '') AS teams, nullif(current_setting('hithe.user', true), '') AS user`;

interface FilledTables {
  teamId: string;
  /** Every table under row-level security; each has one row. */
  tables: string[];
  /** Those that a member of the team sees through a column of their own. */
  ofTeam: string[];
}

/** One row of one team in each protected table, whatever tables there are: without constraints or triggers, from the catalogue. */
async function fillEveryTable(filled: TestDatabase): Promise<FilledTables> {
  const [teamId, projectId, deploymentId] = [randomUUID(), randomUUID(), randomUUID()];
  const known: Record<string, string> = {
    'teams.id': teamId,
    'projects.id': projectId,
    'deployments.id': deploymentId,
    team_id: teamId,
    project_id: projectId,
    deployment_id: deploymentId,
  };
  const client = new pg.Client({ connectionString: superuserUrl(filled.name) });
  await client.connect();
  try {
    await client.query('SET session_replication_role = replica');
    const { rows } = await client.query<{ name: string; columns: { name: string; type: string }[]; checks: string[] | null }>(COLUMNS);
    for (const table of rows) {
      for (const check of table.checks ?? []) await client.query(`ALTER TABLE ${table.name} DROP CONSTRAINT ${check}`);
      const values = table.columns.map(({ name, type }) => known[`${table.name}.${name}`] ?? known[name] ?? someValue(type));
      const places = values.map((_, index) => `$${String(index + 1)}`);
      await client.query(
        `INSERT INTO ${table.name} (${table.columns.map(({ name }) => name).join(', ')}) OVERRIDING SYSTEM VALUE VALUES (${places.join(', ')})`,
        values,
      );
    }
    const ofTeam = rows.filter(({ columns }) => columns.some(({ name }) => name === 'team_id' || name === 'project_id'));
    return { teamId, tables: rows.map(({ name }) => name), ofTeam: ofTeam.map(({ name }) => name) };
  } finally {
    await client.end();
  }
}

const COLUMNS = `
  SELECT c.relname AS name,
    (SELECT json_agg(json_build_object('name', quote_ident(attname), 'type', format_type(atttypid, NULL))) FROM pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
        AND (a.attnotnull OR a.attname IN ('team_id', 'project_id', 'deployment_id'))) AS columns,
    (SELECT json_agg(conname) FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c') AS checks
  FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relrowsecurity ORDER BY 1`;

function someValue(type: string): unknown {
  if (type === 'uuid') return randomUUID();
  if (type.endsWith('[]')) return '{}';
  if (type === 'json' || type === 'jsonb') return '{}';
  if (type === 'bytea') return Buffer.from('some');
  if (type.startsWith('timestamp') || type === 'date') return '2026-01-01';
  return type === 'boolean' ? 'false' : '1';
}

describe('the role that the control plane serves with', () => {
  const attempt = async (sql: string): Promise<string | undefined> => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      await client.query(sql);
      return undefined;
    } catch (error) {
      return sqlState(error);
    } finally {
      await client.end();
    }
  };

  it.each([
    ['switch row-level security off', 'ALTER TABLE projects DISABLE ROW LEVEL SECURITY'],
    ['stop forcing it', 'ALTER TABLE projects NO FORCE ROW LEVEL SECURITY'],
    ['drop a policy', 'DROP POLICY rls_projects ON projects'],
    ['add a policy', 'CREATE POLICY mine ON projects USING (true)'],
    ['replace what policies ask', `CREATE OR REPLACE FUNCTION hithe_all_teams() RETURNS boolean LANGUAGE sql STABLE RETURN true`],
    ['become the owner', 'SET ROLE hithe_test'],
    ['become a superuser', 'ALTER ROLE hithe_test_app SUPERUSER'],
    ['bypass row-level security', 'ALTER ROLE hithe_test_app BYPASSRLS'],
    ['create a role', 'CREATE ROLE mine LOGIN'],
    ['create a table', 'CREATE TABLE mine (id int)'],
    ['alter a table', 'ALTER TABLE users ADD COLUMN mine int'],
    ['drop a table', 'DROP TABLE users'],
    ['empty a table', 'TRUNCATE projects CASCADE'],
    ['add a trigger', 'CREATE TRIGGER mine BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()'],
    ['read the passwords of the server', 'SELECT * FROM pg_authid'],
    ['read files of the server', `SELECT pg_read_file('PG_VERSION')`],
    ['run programs on the server', `COPY users TO PROGRAM 'cat'`],
    ['rewrite which migrations have run', 'DELETE FROM migrations'],
    ['alter the tables of the queue', 'ALTER TABLE pgboss.job ADD COLUMN mine int'],
  ])('cannot %s', async (_what, sql) => {
    expect(await attempt(sql)).toBe(PERMISSION_DENIED);
  });

  it('sees nothing of other sessions', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query<{ query: string }>(`SELECT query FROM pg_stat_activity WHERE usename <> current_user`);
    await client.end();
    expect(rows.filter(({ query }) => query !== '<insufficient privilege>' && query !== '')).toEqual([]);
  });

  it('is fit to serve; the owner and a superuser are refused, with what to do', async () => {
    await assertServingRole(database.url, '/somewhere/database-url');
    await expect(assertServingRole(database.ownerUrl, '/somewhere/database-url')).rejects.toMatchObject({
      code: 'DATABASE_ROLE_TOO_STRONG',
      message: expect.stringContaining('owns'),
      fix: expect.stringContaining('HITHE_DATABASE_OWNER_URL'),
    });
    await expect(assertServingRole(superuserUrl(database.name), '/somewhere/database-url')).rejects.toMatchObject({
      message: expect.stringContaining('is a superuser'),
    });
  });
});
