import type { QueryRunner } from 'typeorm';

/**
 * The second wall. `src/database/contextual-client.ts` tells each transaction whose rows it may reach; without that these
 * functions say none. Their bodies are parsed here and now, so that no search_path can put something else into them.
 */
export async function createContextFunctions(runner: QueryRunner): Promise<void> {
  await runner.query(
    `CREATE FUNCTION hithe_all_teams() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
     RETURN coalesce(current_setting('hithe.teams', true), '') = 'all'`,
  );
  await runner.query(
    `CREATE FUNCTION hithe_teams() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
     RETURN CASE WHEN starts_with(current_setting('hithe.teams', true), '{') THEN current_setting('hithe.teams', true)::uuid[] ELSE '{}' END`,
  );
  await runner.query(
    `CREATE FUNCTION hithe_user() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
     RETURN nullif(current_setting('hithe.user', true), '')::uuid`,
  );
}

/** Takes the functions away again, once no policy needs them. */
export async function dropContextFunctions(runner: QueryRunner): Promise<void> {
  for (const name of ['hithe_user', 'hithe_teams', 'hithe_all_teams']) await runner.query(`DROP FUNCTION ${name}()`);
}

/** Hides the rows of `table` from every transaction whose context does not reach the team that `column` names; none can be written either. */
export async function protectByTeam(runner: QueryRunner, table: string, column = 'team_id'): Promise<void> {
  // In a sub-select each function runs once for a query instead of once for a row.
  await protect(runner, table, `${column} = ANY ((SELECT hithe_teams())::uuid[])`);
}

/** The same for rows that belong to a project: who reaches the project reaches them. */
export async function protectByProject(runner: QueryRunner, table: string, column = 'project_id'): Promise<void> {
  await protectThrough(runner, table, column, 'projects');
}

/** The same for rows that belong to a row of another protected table. */
export async function protectThrough(runner: QueryRunner, table: string, column: string, parent: string): Promise<void> {
  // The parent's own policy applies inside.
  await protect(runner, table, `EXISTS (SELECT 1 FROM ${parent} parent WHERE parent.id = ${table}.${column})`);
}

/** Hides the rows of `table` from everybody but the user that `column` names, and the platform. */
export async function protectByUser(runner: QueryRunner, table: string, column = 'user_id'): Promise<void> {
  await protect(runner, table, `${column} = (SELECT hithe_user())`);
}

/** Hides the rows of `table` from everybody but the user that `user_id` names, the team that `team_id` names, if any, and the platform. */
export async function protectByUserOrTeam(runner: QueryRunner, table: string): Promise<void> {
  await protect(runner, table, `user_id = (SELECT hithe_user()) OR team_id = ANY ((SELECT hithe_teams())::uuid[])`);
}

/** Leaves the rows of `table` to the platform itself. */
export async function protectForSystem(runner: QueryRunner, table: string): Promise<void> {
  await protect(runner, table, 'false');
}

/** Undoes any of the above. */
export async function unprotect(runner: QueryRunner, table: string): Promise<void> {
  await runner.query(`DROP POLICY ${policyOf(table)} ON ${table}`);
  await runner.query(`ALTER TABLE ${table} NO FORCE ROW LEVEL SECURITY`);
  await runner.query(`ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`);
}

async function protect(runner: QueryRunner, table: string, condition: string): Promise<void> {
  const reached = `(SELECT hithe_all_teams()) OR ${condition}`;
  await runner.query(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
  // Forced: else the owner would see everything.
  await runner.query(`ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`);
  await runner.query(`CREATE POLICY ${policyOf(table)} ON ${table} FOR ALL USING (${reached}) WITH CHECK (${reached})`);
}

function policyOf(table: string): string {
  return `rls_${table}`;
}
