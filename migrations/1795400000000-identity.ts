import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Users, teams, log-ins, and the answers kept for repeated requests. */
export class Identity1795400000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE users (
        id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        email text NOT NULL,
        password_hash text NOT NULL,
        platform_admin boolean NOT NULL DEFAULT false,
        disabled_at timestamptz,
        CONSTRAINT pk_users PRIMARY KEY (id),
        CONSTRAINT uq_users_email UNIQUE (email)
      )`);
    // Not owned by the column, and never reset: a number is a uid on every node, so none may come twice.
    await runner.query(`CREATE SEQUENCE tenant_numbers AS integer MINVALUE 1 START 1 NO CYCLE`);
    await runner.query(`
      CREATE TABLE teams (
        id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        slug text NOT NULL,
        name text NOT NULL,
        number integer NOT NULL,
        personal_of uuid,
        CONSTRAINT pk_teams PRIMARY KEY (id),
        CONSTRAINT uq_teams_slug UNIQUE (slug),
        CONSTRAINT uq_teams_number UNIQUE (number),
        CONSTRAINT uq_teams_personal_of UNIQUE (personal_of)
      )`);
    await runner.query(`
      CREATE TABLE memberships (
        id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        team_id uuid NOT NULL,
        user_id uuid NOT NULL,
        role text NOT NULL,
        CONSTRAINT pk_memberships PRIMARY KEY (id),
        CONSTRAINT uq_memberships_team_id_user_id UNIQUE (team_id, user_id),
        CONSTRAINT ck_memberships_role CHECK (role IN ('owner', 'admin', 'developer', 'viewer')),
        CONSTRAINT fk_memberships_team_id FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE,
        CONSTRAINT fk_memberships_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE INDEX ix_memberships_user_id ON memberships (user_id)`);
    await runner.query(`
      CREATE TABLE sessions (
        id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        user_id uuid NOT NULL,
        revoked_at timestamptz,
        revoked_reason text,
        CONSTRAINT pk_sessions PRIMARY KEY (id),
        CONSTRAINT fk_sessions_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE INDEX ix_sessions_user_id ON sessions (user_id)`);
    await runner.query(`
      CREATE TABLE refresh_tokens (
        id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        session_id uuid NOT NULL,
        token_hash bytea NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz,
        CONSTRAINT pk_refresh_tokens PRIMARY KEY (id),
        CONSTRAINT fk_refresh_tokens_session_id FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE INDEX ix_refresh_tokens_session_id ON refresh_tokens (session_id)`);
    await runner.query(`CREATE UNIQUE INDEX uq_refresh_tokens_token_hash ON refresh_tokens (token_hash)`);
    await runner.query(`
      CREATE TABLE login_attempts (
        key bytea NOT NULL,
        attempts integer NOT NULL,
        window_started_at timestamptz NOT NULL,
        CONSTRAINT pk_login_attempts PRIMARY KEY (key)
      )`);
    await runner.query(`
      CREATE TABLE idempotency_keys (
        id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        user_id uuid NOT NULL,
        key text NOT NULL,
        request_hash bytea NOT NULL,
        status integer,
        body jsonb,
        CONSTRAINT pk_idempotency_keys PRIMARY KEY (id),
        CONSTRAINT uq_idempotency_keys_user_id_key UNIQUE (user_id, key),
        CONSTRAINT fk_idempotency_keys_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['idempotency_keys', 'login_attempts', 'refresh_tokens', 'sessions', 'memberships', 'teams', 'users']) {
      await runner.query(`DROP TABLE ${table}`);
    }
    await runner.query('DROP SEQUENCE tenant_numbers');
  }
}
