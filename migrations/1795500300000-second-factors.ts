import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectByUser } from './support/row-level-security.js';

const IDENTITY = `
        id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),`;

/** One-time codes, recovery codes, passkeys, and the log-ins that wait for one of them. */
export class SecondFactors1795500300000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE sessions ADD COLUMN second_factor boolean NOT NULL DEFAULT false, ADD COLUMN proved_at timestamptz`);
    await runner.query(`
      CREATE TABLE totp_credentials (${IDENTITY}
        user_id uuid NOT NULL,
        secret bytea NOT NULL,
        confirmed_at timestamptz,
        last_step integer,
        CONSTRAINT pk_totp_credentials PRIMARY KEY (id),
        CONSTRAINT uq_totp_credentials_user_id UNIQUE (user_id),
        CONSTRAINT fk_totp_credentials_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      )`);
    await runner.query(`
      CREATE TABLE recovery_codes (${IDENTITY}
        user_id uuid NOT NULL,
        code_hash bytea NOT NULL,
        used_at timestamptz,
        CONSTRAINT pk_recovery_codes PRIMARY KEY (id),
        CONSTRAINT uq_recovery_codes_user_id_code_hash UNIQUE (user_id, code_hash),
        CONSTRAINT fk_recovery_codes_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      )`);
    await runner.query(`
      CREATE TABLE passkeys (${IDENTITY}
        user_id uuid NOT NULL,
        credential_id text NOT NULL,
        public_key bytea NOT NULL,
        counter bigint NOT NULL,
        transports text[] NOT NULL,
        name text NOT NULL,
        backed_up boolean NOT NULL,
        last_used_at timestamptz,
        CONSTRAINT pk_passkeys PRIMARY KEY (id),
        CONSTRAINT uq_passkeys_credential_id UNIQUE (credential_id),
        CONSTRAINT fk_passkeys_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE INDEX ix_passkeys_user_id ON passkeys (user_id)`);
    await runner.query(`
      CREATE TABLE login_challenges (${IDENTITY}
        user_id uuid NOT NULL,
        token_hash bytea NOT NULL,
        first_factor text NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        expires_at timestamptz NOT NULL,
        CONSTRAINT pk_login_challenges PRIMARY KEY (id),
        CONSTRAINT ck_login_challenges_first_factor CHECK (first_factor IN ('password', 'oidc')),
        CONSTRAINT fk_login_challenges_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE UNIQUE INDEX uq_login_challenges_token_hash ON login_challenges (token_hash)`);
    await runner.query(`CREATE INDEX ix_login_challenges_user_id ON login_challenges (user_id)`);
    await runner.query(`
      CREATE TABLE webauthn_challenges (${IDENTITY}
        challenge_hash bytea NOT NULL,
        purpose text NOT NULL,
        user_id uuid,
        expires_at timestamptz NOT NULL,
        CONSTRAINT pk_webauthn_challenges PRIMARY KEY (id),
        CONSTRAINT ck_webauthn_challenges_purpose CHECK (purpose IN ('register', 'login', 'second-factor')),
        CONSTRAINT fk_webauthn_challenges_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE UNIQUE INDEX uq_webauthn_challenges_challenge_hash ON webauthn_challenges (challenge_hash)`);
    await runner.query(`CREATE INDEX ix_webauthn_challenges_user_id ON webauthn_challenges (user_id)`);
    for (const table of ['totp_credentials', 'recovery_codes', 'passkeys']) await protectByUser(runner, table);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['webauthn_challenges', 'login_challenges', 'passkeys', 'recovery_codes', 'totp_credentials']) {
      await runner.query(`DROP TABLE ${table}`);
    }
    await runner.query('ALTER TABLE sessions DROP COLUMN proved_at, DROP COLUMN second_factor');
  }
}
