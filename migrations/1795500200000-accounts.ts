import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectByTeam, protectByUser, protectForSystem, protectThrough, unprotect } from './support/row-level-security.js';

/** Accounts without a password, where sessions come from, links that work once, invitations, signing keys, and counters of every kind. */
export class Accounts1795500200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE users ALTER COLUMN password_hash DROP NOT NULL');
    await runner.query(`ALTER TABLE users ADD COLUMN email_verified_at timestamptz`);
    await runner.query(`
      ALTER TABLE sessions
        ADD COLUMN last_used_at timestamptz NOT NULL DEFAULT now(),
        ADD COLUMN address text NOT NULL DEFAULT '',
        ADD COLUMN user_agent text NOT NULL DEFAULT '',
        ADD COLUMN methods text[] NOT NULL DEFAULT '{}'`);
    await runner.query(`
      CREATE TABLE password_resets (
        id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        user_id uuid NOT NULL,
        token_hash bytea NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT pk_password_resets PRIMARY KEY (id),
        CONSTRAINT uq_password_resets_user_id UNIQUE (user_id),
        CONSTRAINT uq_password_resets_token_hash UNIQUE (token_hash),
        CONSTRAINT fk_password_resets_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      )`);
    await runner.query(`
      CREATE TABLE sign_ups (
        id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        email text NOT NULL,
        password_hash text NOT NULL,
        token_hash bytea NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT pk_sign_ups PRIMARY KEY (id),
        CONSTRAINT uq_sign_ups_email UNIQUE (email),
        CONSTRAINT uq_sign_ups_token_hash UNIQUE (token_hash)
      )`);
    await runner.query(`
      CREATE TABLE invitations (
        id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        team_id uuid,
        email text NOT NULL,
        role text,
        token_hash bytea NOT NULL,
        invited_by uuid,
        expires_at timestamptz NOT NULL,
        accepted_at timestamptz,
        revoked_at timestamptz,
        CONSTRAINT pk_invitations PRIMARY KEY (id),
        CONSTRAINT uq_invitations_token_hash UNIQUE (token_hash),
        CONSTRAINT ck_invitations_role CHECK ((team_id IS NULL) = (role IS NULL)),
        CONSTRAINT fk_invitations_team_id FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE,
        CONSTRAINT fk_invitations_invited_by FOREIGN KEY (invited_by) REFERENCES users (id) ON DELETE SET NULL
      )`);
    await runner.query(`CREATE INDEX ix_invitations_team_id ON invitations (team_id)`);
    await runner.query(`CREATE INDEX ix_invitations_email ON invitations (email)`);
    await runner.query(`CREATE INDEX ix_invitations_invited_by ON invitations (invited_by)`);
    await runner.query(`
      CREATE TABLE signing_keys (
        id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        private_key bytea NOT NULL,
        public_key jsonb NOT NULL,
        replaced_at timestamptz,
        verifies_until timestamptz,
        CONSTRAINT pk_signing_keys PRIMARY KEY (id)
      )`);
    await runner.query('DROP TABLE login_attempts');
    await runner.query(`
      CREATE TABLE attempts (
        key bytea NOT NULL,
        attempts integer NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT pk_attempts PRIMARY KEY (key)
      )`);
    await protectByUser(runner, 'sessions');
    await protectThrough(runner, 'refresh_tokens', 'session_id', 'sessions');
    // Those without a team are the platform's.
    await protectByTeam(runner, 'invitations');
    for (const table of ['password_resets', 'sign_ups', 'signing_keys']) await protectForSystem(runner, table);
  }

  async down(runner: QueryRunner): Promise<void> {
    await unprotect(runner, 'refresh_tokens');
    await unprotect(runner, 'sessions');
    await runner.query('DROP TABLE attempts');
    await runner.query(`
      CREATE TABLE login_attempts (
        key bytea NOT NULL,
        attempts integer NOT NULL,
        window_started_at timestamptz NOT NULL,
        CONSTRAINT pk_login_attempts PRIMARY KEY (key)
      )`);
    for (const table of ['signing_keys', 'invitations', 'sign_ups', 'password_resets']) await runner.query(`DROP TABLE ${table}`);
    await runner.query('ALTER TABLE sessions DROP COLUMN methods, DROP COLUMN user_agent, DROP COLUMN address, DROP COLUMN last_used_at');
    await runner.query('ALTER TABLE users DROP COLUMN email_verified_at');
    // Whoever has no password cannot log in with one: nothing verifies against this.
    await runner.query(`UPDATE users SET password_hash = '' WHERE password_hash IS NULL`);
    await runner.query('ALTER TABLE users ALTER COLUMN password_hash SET NOT NULL');
  }
}
