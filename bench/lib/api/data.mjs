// Fills the database of an installation with users, teams and projects, by SQL: what is measured is reading them.
const NODE = '00000000-0000-7000-8000-0000000000be';

const SPEC = (index) =>
  `{"name":"project-${index}","components":{
  "db":{"port":"postgres","version":"17","vars":{"POSTGRES_DB":"guestbook","POSTGRES_PASSWORD":"••••••••"},"env":{},"needs":[],"listen":{},"health":{}},
  "cache":{"port":"valkey","version":"8","vars":{"VALKEY_MAXMEMORY":"64mb"},"env":{},"needs":[],"listen":{},"health":{}},
  "web":{"port":"nodejs-app","version":"24","vars":{},"env":{"DATABASE_URL":"\${db.POSTGRES_URL}","VALKEY_URL":"\${cache.VALKEY_URL}","NODE_ENV":"production"},
    "source":{"path":"./app","digest":"sha256-${'5'.repeat(64)}"},"needs":["db","cache"],"listen":{},"health":{}}}}`.replaceAll(
    /\n\s*/g,
    '',
  );

const RESOLVED = {
  vars: { A: '1', B: '2' },
  secrets: {},
  env: {},
  needs: [],
  endpoints: ['http'],
  listen: {},
  health: { interval: 10, timeout: 5 },
};
const OBSERVED = {
  epoch: 3,
  restartNonce: 0,
  state: 'running',
  health: 'healthy',
  healthMessage: 'accepts connections',
  healthSince: '2026-01-01T00:00:00.000Z',
  pid: 4711,
  uid: 1_900_000_001,
  startedAt: '2026-01-01T00:00:00.000Z',
  restarts: 0,
  resolvedVersion: '17.6-0+deb13u1',
  storeDigest: '7'.repeat(64),
};

/** Who sends the requests: an index of a user, and the role in each of so many teams, or the administrator of the platform. */
export const CALLERS = [
  { name: 'owner of one team', user: 1, teams: 1, role: 'owner' },
  { name: 'developer in one team', user: 2, teams: 1, role: 'developer' },
  { name: 'viewer in three teams', user: 3, teams: 3, role: 'viewer' },
  { name: 'admin of ten teams', user: 4, teams: 10, role: 'admin' },
  { name: 'developer in twenty teams', user: 5, teams: 20, role: 'developer' },
  { name: 'platform administrator', user: 0, teams: 0 },
];

export const emailOf = (index) => `user-${index}@bench.example.org`;

/** 1,000 users, all with the administrator's password, 200 teams, and five members in each; the callers besides. */
export async function seedPeople(client, { users, teams, adminEmail }) {
  await client.query('BEGIN');
  await client.query(
    `INSERT INTO users (id, email, password_hash)
     SELECT uuidv7(), 'user-' || i || '@bench.example.org', (SELECT password_hash FROM users WHERE email = $2) FROM generate_series(1, $1::int) i`,
    [users, adminEmail],
  );
  await client.query(
    `INSERT INTO teams (id, slug, name, number)
     SELECT uuidv7(), 'bench-' || i, 'Bench ' || i, nextval('tenant_numbers') FROM generate_series(1, $1::int) i`,
    [teams],
  );
  await client.query(
    `INSERT INTO memberships (id, team_id, user_id, role)
     SELECT uuidv7(), t.id, u.id, (ARRAY['owner', 'admin', 'developer', 'developer', 'viewer'])[m]
     FROM generate_series(1, $1::int) i CROSS JOIN generate_series(1, 5) m
     JOIN teams t ON t.slug = 'bench-' || i
     JOIN users u ON u.email = 'user-' || (10 + ((i - 1) * 5 + m - 1) % ($2::int - 10)) || '@bench.example.org'`,
    [teams, users],
  );
  for (const { user, teams: count, role } of CALLERS.filter((caller) => caller.teams > 0)) {
    await client.query(
      `INSERT INTO memberships (id, team_id, user_id, role)
       SELECT uuidv7(), t.id, u.id, $3 FROM generate_series($4::int, $4::int + $1::int - 1) i
       JOIN teams t ON t.slug = 'bench-' || i JOIN users u ON u.email = $2`,
      [count, emailOf(user), role, count === 20 ? 1 : user],
    );
  }
  await client.query(`INSERT INTO nodes (id, name, credential_hash) VALUES ($1, 'bench', '\\x00')`, [NODE]);
  await client.query('COMMIT');
}

/** A hundred projects of three running components in each of these teams, in no order. */
export async function seedProjects(client, firstTeam, lastTeam, perTeam) {
  await client.query('BEGIN');
  await client.query(
    `INSERT INTO projects (id, team_id, name, spec, spec_version, release)
     SELECT uuidv7(), team_id, name, replace($4, 'project-0', name)::json, 3, 2
     FROM (SELECT t.id AS team_id, 'project-' || i || '-' || p AS name
           FROM generate_series($1::int, $2::int) i JOIN teams t ON t.slug = 'bench-' || i CROSS JOIN generate_series(1, $3::int) p ORDER BY random()) x`,
    [firstTeam, lastTeam, perTeam, SPEC(0)],
  );
  await client.query(
    `INSERT INTO allocations (id, node_id, project_id, team_id, tenant, project, component, release, resolved, needs, listen, desired, epoch, observed)
     SELECT uuidv7(), $1, p.id, p.team_id, json_build_object('number', t.number, 'slug', t.slug), p.name, c.name, 2,
            $2::jsonb || jsonb_build_object('name', c.name, 'port', c.port, 'version', c.version), '{}', '{}', 'running', 3, $3::jsonb
     FROM projects p JOIN teams t ON t.id = p.team_id
     CROSS JOIN (VALUES ('db', 'postgres', '17'), ('cache', 'valkey', '8'), ('web', 'nodejs-app', '24')) AS c (name, port, version)
     WHERE NOT EXISTS (SELECT 1 FROM allocations a WHERE a.project_id = p.id)`,
    [NODE, JSON.stringify(RESOLVED), JSON.stringify(OBSERVED)],
  );
  await client.query('COMMIT');
  await client.query('VACUUM ANALYZE');
  const { rows } = await client.query('SELECT count(*)::int AS count FROM projects');
  return rows[0].count;
}

/** The teams of a caller, and some projects of theirs; of the administrator no team, and projects of anybody. */
export async function whatCallersSee(client, { user, email }, projects) {
  const teams = await client.query(`SELECT m.team_id FROM memberships m JOIN users u ON u.id = m.user_id WHERE u.email = $1`, [email]);
  const ids = user === 0 ? [] : teams.rows.map((row) => row.team_id);
  const found = await client.query(
    `SELECT id FROM projects WHERE team_id = ANY($1) OR cardinality($1::uuid[]) = 0 ORDER BY md5(id::text) LIMIT $2`,
    [ids, projects],
  );
  return { teams: ids, projects: found.rows.map((row) => row.id) };
}
