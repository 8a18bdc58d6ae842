import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Whoever changes what somebody is or may do tells it on the channel `standing_changed`, by whatever way the row was changed:
 * src/auth/reauthorisation.ts looks again at the streams that are open for them.
 */
export class StandingChanged1795500900000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // The column that names the user is the trigger's argument; without one everybody may be concerned.
    await runner.query(`
      CREATE FUNCTION standing_changed() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
      BEGIN
        IF TG_NARGS = 0 THEN
          PERFORM pg_notify('standing_changed', '{}');
        ELSE
          PERFORM pg_notify('standing_changed', json_build_object('userId', to_jsonb(OLD) ->> TG_ARGV[0])::text);
        END IF;
        RETURN NULL;
      END
      $$`);
    await runner.query(`
      CREATE FUNCTION standing_begun() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
      BEGIN
        PERFORM pg_notify('standing_changed', json_build_object('userId', to_jsonb(NEW) ->> TG_ARGV[0])::text);
        RETURN NULL;
      END
      $$`);
    for (const { table, column, update } of WATCHED) {
      const argument = column === undefined ? '' : `'${column}'`;
      await runner.query(
        `CREATE TRIGGER ${table}_standing_changed AFTER DELETE OR UPDATE OF ${update} ON ${table} FOR EACH ROW EXECUTE FUNCTION standing_changed(${argument})`,
      );
    }
    for (const table of GROWING) {
      await runner.query(
        `CREATE TRIGGER ${table}_standing_begun AFTER INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION standing_begun('user_id')`,
      );
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of GROWING) await runner.query(`DROP TRIGGER ${table}_standing_begun ON ${table}`);
    for (const { table } of WATCHED) await runner.query(`DROP TRIGGER ${table}_standing_changed ON ${table}`);
    await runner.query('DROP FUNCTION standing_begun()');
    await runner.query('DROP FUNCTION standing_changed()');
  }
}

const WATCHED: readonly { table: string; column?: string; update: string }[] = [
  { table: 'users', column: 'id', update: 'disabled_at, platform_admin' },
  { table: 'sessions', column: 'user_id', update: 'revoked_at, second_factor' },
  { table: 'memberships', column: 'user_id', update: 'team_id, user_id, role, role_id' },
  { table: 'project_grants', column: 'user_id', update: 'project_id, user_id, role, role_id' },
  { table: 'broken_glass', column: 'user_id', update: 'ended_at, expires_at' },
  { table: 'api_tokens', column: 'user_id', update: 'revoked_at, expires_at, scopes' },
  { table: 'team_roles', update: 'rules' },
];
/** A new one may give more, or, with exceptions, less. */
const GROWING = ['memberships', 'project_grants', 'broken_glass'];
