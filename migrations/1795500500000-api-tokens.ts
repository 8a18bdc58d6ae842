import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectByProject, protectByUserOrTeam, protectThrough, unprotect } from './support/row-level-security.js';

/** Service accounts, API tokens, and signed deploy hooks with what came in through them. */
export class ApiTokens1795500500000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...SERVICE_ACCOUNTS, ...TOKENS, ...HOOKS]) await runner.query(statement);
    await protectByUserOrTeam(runner, 'api_tokens');
    await protectByProject(runner, 'deploy_hooks');
    await protectThrough(runner, 'hook_deliveries', 'hook_id', 'deploy_hooks');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['hook_deliveries', 'deploy_hooks', 'api_tokens']) {
      await unprotect(runner, table);
      await runner.query(`DROP TABLE ${table}`);
    }
    await runner.query(`DELETE FROM users WHERE kind = 'service'`);
    await runner.query('ALTER TABLE users DROP COLUMN home_team_id, DROP COLUMN kind');
  }
}

const ROW = `
  id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()`;

const SERVICE_ACCOUNTS = [
  `ALTER TABLE users
     ADD COLUMN kind text NOT NULL DEFAULT 'person',
     ADD COLUMN home_team_id uuid,
     ADD CONSTRAINT ck_users_kind CHECK (kind IN ('person', 'service')),
     ADD CONSTRAINT ck_users_home_team_id CHECK ((kind = 'service') = (home_team_id IS NOT NULL)),
     ADD CONSTRAINT ck_users_password_hash CHECK (kind = 'person' OR password_hash IS NULL),
     ADD CONSTRAINT ck_users_platform_admin CHECK (kind = 'person' OR NOT platform_admin),
     ADD CONSTRAINT fk_users_home_team_id FOREIGN KEY (home_team_id) REFERENCES teams (id) ON DELETE CASCADE`,
  `CREATE INDEX ix_users_home_team_id ON users (home_team_id)`,
];

const TOKENS = [
  `CREATE TABLE api_tokens (${ROW},
    user_id uuid NOT NULL,
    team_id uuid,
    name text NOT NULL,
    token_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    expires_at timestamptz NOT NULL,
    created_by uuid NOT NULL,
    last_used_at timestamptz,
    last_used_address text,
    revoked_at timestamptz,
    CONSTRAINT pk_api_tokens PRIMARY KEY (id),
    CONSTRAINT ck_api_tokens_expires_at CHECK (expires_at <= created_at + interval '366 days'),
    CONSTRAINT fk_api_tokens_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_api_tokens_team_id FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE
  )`,
  `CREATE UNIQUE INDEX uq_api_tokens_token_hash ON api_tokens (token_hash)`,
  `CREATE INDEX ix_api_tokens_user_id ON api_tokens (user_id)`,
  `CREATE INDEX ix_api_tokens_team_id ON api_tokens (team_id)`,
];

const HOOKS = [
  `CREATE TABLE deploy_hooks (${ROW},
    project_id uuid NOT NULL,
    team_id uuid NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    secret bytea NOT NULL,
    created_by uuid NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    secret_since timestamptz NOT NULL,
    CONSTRAINT pk_deploy_hooks PRIMARY KEY (id),
    CONSTRAINT uq_deploy_hooks_project_id_name UNIQUE (project_id, name),
    CONSTRAINT ck_deploy_hooks_kind CHECK (kind IN ('deploy', 'restart')),
    CONSTRAINT fk_deploy_hooks_project_id FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
  )`,
  // Two deliveries of one id at once: the constraint lets one in. Refused ones have not proved their id, so they have none.
  `CREATE TABLE hook_deliveries (${ROW},
    hook_id uuid NOT NULL,
    webhook_id text,
    outcome text NOT NULL,
    code text,
    deployment_id uuid,
    address text,
    CONSTRAINT pk_hook_deliveries PRIMARY KEY (id),
    CONSTRAINT uq_hook_deliveries_hook_id_webhook_id UNIQUE (hook_id, webhook_id),
    CONSTRAINT ck_hook_deliveries_outcome CHECK (outcome IN ('accepted', 'started', 'failed', 'refused')),
    CONSTRAINT fk_hook_deliveries_hook_id FOREIGN KEY (hook_id) REFERENCES deploy_hooks (id) ON DELETE CASCADE
  )`,
];
