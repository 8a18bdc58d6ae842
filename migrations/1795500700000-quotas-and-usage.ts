import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectByTeam, protectForSystem, unprotect } from './support/row-level-security.js';

/** What teams may have, what their projects ask for, and what they have used. */
export class QuotasAndUsage1795500700000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...QUOTAS, ...USAGE, ...INDEXES]) await runner.query(statement);
    // Projects that were applied earlier count as projects and components; what else they ask for is noted when they are applied or deployed again.
    await runner.query(
      `INSERT INTO project_demands (project_id, team_id, components, memory, cpu, listen_ports)
       SELECT id, team_id, (SELECT count(*) FROM json_object_keys(spec->'components')), 0, 0, 0 FROM projects`,
    );
    for (const table of TEAM_TABLES) await protectByTeam(runner, table);
    await protectForSystem(runner, 'usage_streams');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX ix_projects_team_id_id');
    for (const table of [...TEAM_TABLES, 'usage_streams']) {
      await unprotect(runner, table);
      await runner.query(`DROP TABLE ${table}`);
    }
    await runner.query('DROP TABLE quota_defaults');
  }
}

const TEAM_TABLES = ['team_quotas', 'project_demands', 'usage_daily', 'component_storage'];

// Limits: a key that is absent says nothing, null is "no limit", a number is the limit; memory and disk in bytes, cpu in cores.
const QUOTAS = [
  `CREATE TABLE quota_defaults (
    id integer NOT NULL DEFAULT 1,
    limits jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_quota_defaults PRIMARY KEY (id),
    CONSTRAINT ck_quota_defaults_id CHECK (id = 1)
  )`,
  `CREATE TABLE team_quotas (
    team_id uuid NOT NULL,
    limits jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_team_quotas PRIMARY KEY (team_id),
    CONSTRAINT fk_team_quotas_team_id FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE
  )`,
  `CREATE TABLE project_demands (
    project_id uuid NOT NULL,
    team_id uuid NOT NULL,
    components integer NOT NULL,
    memory bigint NOT NULL,
    cpu double precision NOT NULL,
    listen_ports integer NOT NULL,
    CONSTRAINT pk_project_demands PRIMARY KEY (project_id),
    CONSTRAINT fk_project_demands_project_id FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
  )`,
];

// Without foreign keys: a bill outlives what it is for.
const USAGE = [
  `CREATE TABLE usage_daily (
    team_id uuid NOT NULL,
    project_id uuid NOT NULL,
    component text NOT NULL,
    day date NOT NULL,
    team text NOT NULL,
    project text NOT NULL,
    cpu_seconds double precision NOT NULL,
    memory_byte_seconds double precision NOT NULL,
    stored_byte_seconds double precision NOT NULL,
    stored_most_bytes bigint NOT NULL,
    CONSTRAINT pk_usage_daily PRIMARY KEY (team_id, day, project_id, component)
  )`,
  `CREATE TABLE usage_streams (
    node_id uuid NOT NULL,
    stream uuid NOT NULL,
    sequence bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_usage_streams PRIMARY KEY (node_id, stream),
    CONSTRAINT fk_usage_streams_node_id FOREIGN KEY (node_id) REFERENCES nodes (id) ON DELETE CASCADE
  )`,
  `CREATE TABLE component_storage (
    project_id uuid NOT NULL,
    component text NOT NULL,
    team_id uuid NOT NULL,
    bytes bigint NOT NULL,
    measured_at timestamptz NOT NULL,
    CONSTRAINT pk_component_storage PRIMARY KEY (project_id, component),
    CONSTRAINT fk_component_storage_project_id FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
  )`,
];

const INDEXES = [
  `CREATE INDEX ix_project_demands_team_id ON project_demands (team_id)`,
  `CREATE INDEX ix_usage_daily_day ON usage_daily (day)`,
  `CREATE INDEX ix_component_storage_team_id ON component_storage (team_id)`,
  // A page of one team's projects, in the order of lists.
  `CREATE INDEX ix_projects_team_id_id ON projects (team_id, id)`,
];
