import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The audit log: append-only events in a hash chain that the database itself makes. docs/audit.md describes the hash. */
export class Audit1795500100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...TABLES, ...FUNCTIONS, ...TRIGGERS, ...WALLS]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['audit_streams', 'audit_segments', 'audit_events', 'audit_head']) await runner.query(`DROP TABLE ${table}`);
    for (const name of FUNCTION_NAMES) await runner.query(`DROP FUNCTION ${name}`);
  }
}

const TABLES = [
  // No foreign keys: an event outlives what it tells of. json, not jsonb: the very text that was hashed is kept.
  `CREATE TABLE audit_events (
    seq bigint NOT NULL,
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    actor_kind text NOT NULL,
    actor_id uuid,
    actor_email text,
    session_id uuid,
    token_id uuid,
    part text,
    address text,
    request_id text,
    action text NOT NULL,
    outcome text NOT NULL,
    team_id uuid,
    project_id uuid,
    subject_type text NOT NULL,
    subject_id text NOT NULL,
    subject_name text,
    before json,
    after json,
    details json,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT pk_audit_events PRIMARY KEY (seq),
    CONSTRAINT uq_audit_events_id UNIQUE (id),
    CONSTRAINT ck_audit_events_actor_kind CHECK (actor_kind IN ('user', 'service', 'system', 'anonymous')),
    CONSTRAINT ck_audit_events_outcome CHECK (outcome IN ('success', 'denied', 'failed'))
  )`,
  `CREATE INDEX ix_audit_events_team_id_seq ON audit_events (team_id, seq)`,
  `CREATE INDEX ix_audit_events_actor_id_seq ON audit_events (actor_id, seq)`,
  `CREATE INDEX ix_audit_events_project_id_seq ON audit_events (project_id, seq)`,
  `CREATE INDEX ix_audit_events_action_seq ON audit_events (action text_pattern_ops, seq)`,
  `CREATE INDEX ix_audit_events_subject_id_seq ON audit_events (subject_id, seq)`,
  `CREATE INDEX ix_audit_events_at ON audit_events (at)`,
  // The end of the chain. Whoever appends holds its row until commit, so numbers have no gaps and appear in order.
  `CREATE TABLE audit_head (
    id boolean NOT NULL DEFAULT true,
    installation_id uuid NOT NULL,
    seq bigint NOT NULL DEFAULT 0,
    hash bytea NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_audit_head PRIMARY KEY (id),
    CONSTRAINT ck_audit_head_id CHECK (id)
  ) WITH (fillfactor = 10)`,
  `INSERT INTO audit_head (installation_id, hash) VALUES (gen_random_uuid(), decode(repeat('00', 32), 'hex'))`,
  // What has left the table for a file: its ends stay, so that the chain can be followed across.
  `CREATE TABLE audit_segments (
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    previous_hash bytea NOT NULL,
    last_hash bytea NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    file text NOT NULL,
    file_sha256 bytea NOT NULL,
    archived_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_audit_segments PRIMARY KEY (first_seq),
    CONSTRAINT ck_audit_segments_order CHECK (first_seq <= last_seq)
  )`,
  // How far each stream has come, who serves it, and since when it fails.
  `CREATE TABLE audit_streams (
    name text NOT NULL,
    cursor bigint NOT NULL DEFAULT 0,
    head_seq bigint NOT NULL DEFAULT 0,
    head_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    failing_since timestamptz,
    error text,
    leased_by uuid,
    leased_until timestamptz,
    CONSTRAINT pk_audit_streams PRIMARY KEY (name)
  )`,
];

const FUNCTIONS = [
  // Each field as its length in bytes, a colon, the text and a comma; NULL as "~,". sha256 is PostgreSQL's own.
  `CREATE FUNCTION audit_hash(previous bytea, fields text[]) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
      SELECT sha256(previous || convert_to(
        string_agg(coalesce(octet_length(convert_to(field, 'UTF8')) || ':' || field || ',', '~,'), '' ORDER BY place), 'UTF8'))
      FROM unnest(fields) WITH ORDINALITY AS each (field, place)
    $$`,
  `CREATE FUNCTION audit_chain() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
      head audit_head%ROWTYPE;
    BEGIN
      SELECT * INTO STRICT head FROM audit_head FOR UPDATE;
      NEW.seq := head.seq + 1;
      NEW.at := greatest(clock_timestamp(), head.at);
      NEW.previous_hash := head.hash;
      NEW.hash := audit_hash(head.hash, ARRAY['hithe-audit-1', NEW.seq::text, NEW.id::text,
        to_char(NEW.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        NEW.actor_kind, NEW.actor_id::text, NEW.actor_email, NEW.session_id::text, NEW.token_id::text, NEW.part, NEW.address,
        NEW.request_id, NEW.action, NEW.outcome, NEW.team_id::text, NEW.project_id::text,
        NEW.subject_type, NEW.subject_id, NEW.subject_name, NEW.before::text, NEW.after::text, NEW.details::text]);
      UPDATE audit_head SET seq = NEW.seq, hash = NEW.hash, at = NEW.at;
      PERFORM pg_notify('audit_appended', '{}');
      RETURN NEW;
    END
    $$`,
  `CREATE FUNCTION audit_refuse() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
      RAISE EXCEPTION 'The audit log is append-only: % of % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END
    $$`,
  // What an archived segment holds may leave the table; nothing else ever does.
  `CREATE FUNCTION audit_refuse_delete() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
      IF EXISTS (SELECT 1 FROM audit_segments s WHERE OLD.seq BETWEEN s.first_seq AND s.last_seq AND s.archived_at = transaction_timestamp())
      THEN RETURN OLD; END IF;
      RAISE EXCEPTION 'The audit log is append-only: event % cannot be deleted', OLD.seq USING ERRCODE = 'insufficient_privilege';
    END
    $$`,
  // The only way out of the table: the oldest events, all of them, with the ends that the archive was written with.
  `CREATE FUNCTION audit_archive(first bigint, last bigint, previous bytea, last_hash bytea, file text, file_sha256 bytea) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
      place record;
      found record;
    BEGIN
      LOCK TABLE audit_segments IN SHARE ROW EXCLUSIVE MODE;
      SELECT s.last_seq, s.last_hash INTO place FROM audit_segments s ORDER BY s.first_seq DESC LIMIT 1;
      IF first <> coalesce(place.last_seq, 0) + 1 OR previous <> coalesce(place.last_hash, decode(repeat('00', 32), 'hex'))
      THEN RAISE EXCEPTION 'Segment % does not follow the last archived one', first USING ERRCODE = 'integrity_constraint_violation'; END IF;
      SELECT count(*) AS events, min(e.at) AS first_at, max(e.at) AS last_at,
             bool_or(e.seq = first AND e.previous_hash = audit_archive.previous) AND bool_or(e.seq = last AND e.hash = audit_archive.last_hash) AS whole
        INTO found FROM audit_events e WHERE e.seq BETWEEN first AND last;
      IF found.events <> last - first + 1 OR found.whole IS NOT TRUE
      THEN RAISE EXCEPTION 'Events % to % are not what was archived', first, last USING ERRCODE = 'integrity_constraint_violation'; END IF;
      INSERT INTO audit_segments (first_seq, last_seq, previous_hash, last_hash, first_at, last_at, file, file_sha256, archived_at)
        VALUES (first, last, previous, audit_archive.last_hash, found.first_at, found.last_at, file, file_sha256, transaction_timestamp());
      DELETE FROM audit_events e WHERE e.seq BETWEEN first AND last;
      RETURN found.events;
    END
    $$`,
  // Nobody fires a trigger's function by hand, and only who may append may archive; src/bootstrap/app-role.ts names the application.
  `REVOKE ALL ON FUNCTION audit_archive(bigint, bigint, bytea, bytea, text, bytea) FROM PUBLIC`,
];

const FUNCTION_NAMES = [
  'audit_archive(bigint, bigint, bytea, bytea, text, bytea)',
  'audit_refuse_delete()',
  'audit_refuse()',
  'audit_chain()',
  'audit_hash(bytea, text[])',
];

const TRIGGERS = [
  `CREATE TRIGGER audit_events_chain BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION audit_chain()`,
  `CREATE TRIGGER audit_events_refuse_update BEFORE UPDATE ON audit_events FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()`,
  `CREATE TRIGGER audit_events_refuse_delete BEFORE DELETE ON audit_events FOR EACH ROW EXECUTE FUNCTION audit_refuse_delete()`,
  `CREATE TRIGGER audit_events_refuse_truncate BEFORE TRUNCATE ON audit_events FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()`,
  `CREATE TRIGGER audit_segments_refuse BEFORE UPDATE OR DELETE ON audit_segments FOR EACH ROW EXECUTE FUNCTION audit_refuse()`,
  `CREATE TRIGGER audit_segments_refuse_truncate BEFORE TRUNCATE ON audit_segments FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()`,
  `CREATE TRIGGER audit_head_refuse BEFORE INSERT OR DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION audit_refuse()`,
  `CREATE TRIGGER audit_head_refuse_truncate BEFORE TRUNCATE ON audit_head FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()`,
];

// Anybody's attempt is recorded, a stranger's too; whose events can be read is told by the context, as for every other table.
const WALLS = [
  `ALTER TABLE audit_events ENABLE ROW LEVEL SECURITY`,
  `ALTER TABLE audit_events FORCE ROW LEVEL SECURITY`,
  `CREATE POLICY rls_audit_events_insert ON audit_events FOR INSERT WITH CHECK (true)`,
  `CREATE POLICY rls_audit_events_delete ON audit_events FOR DELETE USING ((SELECT hithe_all_teams()))`,
  `CREATE POLICY rls_audit_events_select ON audit_events FOR SELECT
    USING ((SELECT hithe_all_teams()) OR team_id = ANY ((SELECT hithe_teams())::uuid[]) OR actor_id = (SELECT hithe_user()))`,
];
