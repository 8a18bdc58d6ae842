// What the server asks of the database for one request, and how the database answers it.
import { readFile, stat } from 'node:fs/promises';

const PARAMETER = /\$(\d+) = ('(?:[^']|'')*'|NULL)/g;

/** The statements that the database runs while `work` does, in order, each with its parameters, read from the database's own log. */
export async function statementsOf(client, logFile, database, work) {
  const set = async (value) => {
    await client.query(`ALTER SYSTEM SET log_statement = '${value}'`);
    await client.query('SELECT pg_reload_conf()');
    // Each server process reads its settings before its next statement, once it was told.
    await new Promise((resolve) => setTimeout(resolve, 300));
  };
  await set('all');
  const { size } = await stat(logFile);
  await work();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const text = (await readFile(logFile)).subarray(size).toString();
  await set('none');
  await client.query('ALTER SYSTEM RESET log_statement');
  return parse(text, database);
}

/** The entries of the log, those of other databases and of the platform's own background work left out. */
function parse(text, database) {
  const entries = text.split(/^(?=\d{4}-\d\d-\d\d [\d:.]+ \S+ \[\d+\] )/m);
  const statements = [];
  for (const entry of entries) {
    const [, process, of, level, rest] = /^\S+ \S+ \S+ \[(\d+)\] (\S*) (\w+): {2}([^]*)$/.exec(entry) ?? [];
    if (of !== database) continue;
    const executed = /^(?:statement|execute [^:]*): ([^]*)$/.exec(rest ?? '');
    if (level === 'LOG' && executed) statements.push({ process, sql: executed[1].trim(), parameters: [] });
    const last = statements.at(-1);
    if (level === 'DETAIL' && last?.process === process) last.parameters = parametersOf(rest);
  }
  return statements.filter(({ sql }) => !/pgboss|pg_reload_conf|ALTER SYSTEM/.test(sql));
}

function parametersOf(detail) {
  return [...detail.matchAll(PARAMETER)].map(([, , value]) => (value === 'NULL' ? null : value.slice(1, -1).replaceAll("''", "'")));
}

/** The plan of each statement that reads `table`, run as the server runs it: in one transaction with everything before it. */
export async function plansOf(client, statements, table) {
  const plans = [];
  await client.query('BEGIN');
  try {
    for (const { sql, parameters } of statements) {
      if (/^(BEGIN|START|COMMIT|ROLLBACK)/i.test(sql)) continue;
      const explained = /^SELECT/i.test(sql) && new RegExp(`FROM "?${table}"?`).test(sql);
      const { rows } = await client.query(explained ? `EXPLAIN (ANALYZE, BUFFERS) ${sql}` : sql, parameters);
      if (explained) plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
    }
  } finally {
    await client.query('ROLLBACK');
  }
  return plans;
}
