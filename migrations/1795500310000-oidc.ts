import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectByTeam, protectByUser } from './support/row-level-security.js';

const IDENTITY = `
        id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),`;

/** Whom OIDC providers know people as, the log-ins that are under way there, and the roles that come from their groups. */
export class Oidc1795500310000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE identities (${IDENTITY}
        user_id uuid NOT NULL,
        issuer text NOT NULL,
        subject text NOT NULL,
        email text,
        platform_admin boolean NOT NULL DEFAULT false,
        last_used_at timestamptz,
        CONSTRAINT pk_identities PRIMARY KEY (id),
        CONSTRAINT uq_identities_issuer_subject UNIQUE (issuer, subject),
        CONSTRAINT fk_identities_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE INDEX ix_identities_user_id ON identities (user_id)`);
    await protectByUser(runner, 'identities');
    await runner.query(`
      CREATE TABLE group_roles (${IDENTITY}
        user_id uuid NOT NULL,
        team_id uuid NOT NULL,
        CONSTRAINT pk_group_roles PRIMARY KEY (id),
        CONSTRAINT uq_group_roles_user_id_team_id UNIQUE (user_id, team_id),
        CONSTRAINT fk_group_roles_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
        CONSTRAINT fk_group_roles_team_id FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE INDEX ix_group_roles_team_id ON group_roles (team_id)`);
    await protectByTeam(runner, 'group_roles');
    await runner.query(`
      CREATE TABLE oidc_authorizations (${IDENTITY}
        state_hash bytea NOT NULL,
        redirect_uri text,
        code_challenge text NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT pk_oidc_authorizations PRIMARY KEY (id)
      )`);
    await runner.query(`CREATE UNIQUE INDEX uq_oidc_authorizations_state_hash ON oidc_authorizations (state_hash)`);
    await runner.query(`
      CREATE TABLE oidc_results (${IDENTITY}
        code_hash bytea NOT NULL,
        code_challenge text NOT NULL,
        claims jsonb NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT pk_oidc_results PRIMARY KEY (id)
      )`);
    await runner.query(`CREATE UNIQUE INDEX uq_oidc_results_code_hash ON oidc_results (code_hash)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['oidc_results', 'oidc_authorizations', 'group_roles', 'identities']) await runner.query(`DROP TABLE ${table}`);
  }
}
