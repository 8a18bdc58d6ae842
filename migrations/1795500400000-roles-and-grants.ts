import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectByProject, protectByTeam, unprotect } from './support/row-level-security.js';

/** Auditors, roles that teams make themselves, roles on single projects, and broken glass. */
export class RolesAndGrants1795500400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of TABLES) await runner.query(statement);
    await protectByTeam(runner, 'team_roles');
    await protectByProject(runner, 'project_grants');
    await protectByTeam(runner, 'broken_glass');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of teamOfDeployments('')) await runner.query(statement);
    for (const table of ['broken_glass', 'project_grants']) {
      await unprotect(runner, table);
      await runner.query(`DROP TABLE ${table}`);
    }
    await runner.query(`DELETE FROM memberships WHERE role IN ('auditor', 'custom')`);
    await runner.query(
      `ALTER TABLE memberships DROP CONSTRAINT ck_memberships_role_id, DROP CONSTRAINT ck_memberships_role, DROP COLUMN role_id`,
    );
    await runner.query(
      `ALTER TABLE memberships ADD CONSTRAINT ck_memberships_role CHECK (role IN ('owner', 'admin', 'developer', 'viewer'))`,
    );
    await unprotect(runner, 'team_roles');
    await runner.query('DROP TABLE team_roles');
  }
}

function teamOfDeployments(then: string): string[] {
  return [
    'ALTER TABLE deployments DROP CONSTRAINT fk_deployments_team_id',
    `ALTER TABLE deployments ADD CONSTRAINT fk_deployments_team_id FOREIGN KEY (team_id) REFERENCES teams (id) ${then}`,
  ];
}

const ROW = `
  id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()`;

const TABLES = [
  `CREATE TABLE team_roles (${ROW},
    team_id uuid NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    rules jsonb NOT NULL,
    CONSTRAINT pk_team_roles PRIMARY KEY (id),
    CONSTRAINT uq_team_roles_team_id_name UNIQUE (team_id, name),
    CONSTRAINT fk_team_roles_team_id FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE
  )`,
  // A role in use cannot go: no ON DELETE.
  `ALTER TABLE memberships
    ADD COLUMN role_id uuid,
    DROP CONSTRAINT ck_memberships_role,
    ADD CONSTRAINT ck_memberships_role CHECK (role IN ('owner', 'admin', 'developer', 'viewer', 'auditor', 'custom')),
    ADD CONSTRAINT ck_memberships_role_id CHECK ((role = 'custom') = (role_id IS NOT NULL)),
    ADD CONSTRAINT fk_memberships_role_id FOREIGN KEY (role_id) REFERENCES team_roles (id)`,
  `CREATE INDEX ix_memberships_role_id ON memberships (role_id)`,
  `CREATE TABLE project_grants (${ROW},
    project_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    role_id uuid,
    CONSTRAINT pk_project_grants PRIMARY KEY (id),
    CONSTRAINT uq_project_grants_project_id_user_id UNIQUE (project_id, user_id),
    CONSTRAINT ck_project_grants_role CHECK (role IN ('admin', 'developer', 'viewer', 'auditor', 'custom')),
    CONSTRAINT ck_project_grants_role_id CHECK ((role = 'custom') = (role_id IS NOT NULL)),
    CONSTRAINT fk_project_grants_project_id FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE,
    CONSTRAINT fk_project_grants_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_project_grants_role_id FOREIGN KEY (role_id) REFERENCES team_roles (id)
  )`,
  `CREATE INDEX ix_project_grants_user_id ON project_grants (user_id)`,
  `CREATE INDEX ix_project_grants_role_id ON project_grants (role_id)`,
  `CREATE TABLE broken_glass (${ROW},
    team_id uuid NOT NULL,
    user_id uuid NOT NULL,
    reason text NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT pk_broken_glass PRIMARY KEY (id),
    CONSTRAINT fk_broken_glass_team_id FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE,
    CONSTRAINT fk_broken_glass_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
  )`,
  `CREATE INDEX ix_broken_glass_team_id ON broken_glass (team_id)`,
  `CREATE INDEX ix_broken_glass_user_id ON broken_glass (user_id)`,
  // The history of deployments outlives its project, and goes with the team; the audit log stays.
  ...teamOfDeployments('ON DELETE CASCADE'),
];
