import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The audit log: append-only events in a hash chain that the database itself makes. docs/audit.md describes the hash. */
export class Audit1795500100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...TABLES, ...FUNCTIONS, ...TRIGGERS]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['audit_events', 'audit_head']) await runner.query(`DROP TABLE ${table}`);
    for (const name of ['audit_refuse()', 'audit_chain()', 'audit_hash(bytea, text[])']) await runner.query(`DROP FUNCTION ${name}`);
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
  `CREATE INDEX ix_audit_events_at ON audit_events (at)`,
  // The end of the chain. Whoever appends holds its row until commit, so numbers have no gaps and appear in order.
  `CREATE TABLE audit_head (
    id boolean NOT NULL DEFAULT true,
    installation_id uuid NOT NULL DEFAULT gen_random_uuid(),
    seq bigint NOT NULL DEFAULT 0,
    hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_audit_head PRIMARY KEY (id),
    CONSTRAINT ck_audit_head_id CHECK (id)
  ) WITH (fillfactor = 10)`,
  `INSERT INTO audit_head DEFAULT VALUES`,
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
];

const TRIGGERS = [
  `CREATE TRIGGER audit_events_chain BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION audit_chain()`,
  `CREATE TRIGGER audit_events_refuse BEFORE UPDATE OR DELETE ON audit_events FOR EACH ROW EXECUTE FUNCTION audit_refuse()`,
  `CREATE TRIGGER audit_events_refuse_truncate BEFORE TRUNCATE ON audit_events FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()`,
  `CREATE TRIGGER audit_head_refuse BEFORE INSERT OR DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION audit_refuse()`,
  `CREATE TRIGGER audit_head_refuse_truncate BEFORE TRUNCATE ON audit_head FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()`,
];
