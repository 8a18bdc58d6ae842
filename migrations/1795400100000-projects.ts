import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Projects, sources, secrets, nodes with what they shall run, releases and deployments. */
export class Projects1795400100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...PROJECTS, ...NODES, ...DEPLOYMENTS]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    const tables = [
      'deployment_events',
      'deployments',
      'releases',
      'tasks',
      'port_leases',
      'allocations',
      'nodes',
      'secrets',
      'sources',
      'projects',
    ];
    for (const table of tables) await runner.query(`DROP TABLE ${table}`);
  }
}

const ROW = `
  id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()`;

// Specifications are json, not jsonb: the order in which people name components is kept.
const PROJECTS = [
  `CREATE TABLE projects (${ROW},
    team_id uuid NOT NULL,
    name text NOT NULL,
    spec json NOT NULL,
    spec_version integer NOT NULL DEFAULT 1,
    release integer,
    deploy_failed boolean NOT NULL DEFAULT false,
    active_deployment_id uuid,
    activity text,
    CONSTRAINT pk_projects PRIMARY KEY (id),
    CONSTRAINT uq_projects_team_id_name UNIQUE (team_id, name),
    CONSTRAINT ck_projects_activity CHECK ((activity IS NULL) = (active_deployment_id IS NULL)),
    CONSTRAINT fk_projects_team_id FOREIGN KEY (team_id) REFERENCES teams (id)
  )`,
  `CREATE TABLE sources (${ROW},
    team_id uuid NOT NULL,
    digest text NOT NULL,
    size integer NOT NULL,
    content bytea NOT NULL,
    CONSTRAINT pk_sources PRIMARY KEY (id),
    CONSTRAINT uq_sources_team_id_digest UNIQUE (team_id, digest),
    CONSTRAINT fk_sources_team_id FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE
  )`,
  // The archives are compressed already.
  `ALTER TABLE sources ALTER COLUMN content SET STORAGE EXTERNAL`,
  `CREATE TABLE secrets (${ROW},
    project_id uuid NOT NULL,
    component text NOT NULL,
    name text NOT NULL,
    version integer NOT NULL,
    generated boolean NOT NULL,
    ciphertext bytea NOT NULL,
    CONSTRAINT pk_secrets PRIMARY KEY (id),
    CONSTRAINT uq_secrets_project_id_component_name_version UNIQUE (project_id, component, name, version),
    CONSTRAINT fk_secrets_project_id FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
  )`,
];

const NODES = [
  `CREATE TABLE nodes (${ROW},
    name text NOT NULL,
    credential_hash bytea NOT NULL,
    generation integer NOT NULL DEFAULT 0,
    facts jsonb,
    link_id uuid,
    connected_at timestamptz,
    last_seen_at timestamptz,
    CONSTRAINT pk_nodes PRIMARY KEY (id),
    CONSTRAINT uq_nodes_name UNIQUE (name),
    CONSTRAINT uq_nodes_credential_hash UNIQUE (credential_hash)
  )`,
  `CREATE TABLE allocations (${ROW},
    node_id uuid NOT NULL,
    project_id uuid NOT NULL,
    team_id uuid NOT NULL,
    tenant jsonb NOT NULL,
    project text NOT NULL,
    component text NOT NULL,
    release integer NOT NULL,
    resolved jsonb NOT NULL,
    needs jsonb NOT NULL,
    listen jsonb NOT NULL,
    desired text NOT NULL,
    purge boolean NOT NULL DEFAULT false,
    epoch integer NOT NULL DEFAULT 1,
    restart_nonce integer NOT NULL DEFAULT 0,
    observed jsonb,
    observed_at timestamptz,
    healthy_since timestamptz,
    CONSTRAINT pk_allocations PRIMARY KEY (id),
    CONSTRAINT ck_allocations_desired CHECK (desired IN ('prepared', 'running', 'stopped', 'removed')),
    CONSTRAINT fk_allocations_node_id FOREIGN KEY (node_id) REFERENCES nodes (id),
    CONSTRAINT fk_allocations_project_id FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
  )`,
  `CREATE INDEX ix_allocations_node_id ON allocations (node_id)`,
  `CREATE INDEX ix_allocations_project_id ON allocations (project_id)`,
  // The second wall behind the orchestrator: two processes must never be wanted on one component's data.
  `CREATE UNIQUE INDEX uq_allocations_running ON allocations (project_id, component) WHERE desired = 'running'`,
  `CREATE TABLE port_leases (${ROW},
    node_id uuid NOT NULL,
    address text NOT NULL,
    port integer NOT NULL,
    project_id uuid NOT NULL,
    component text NOT NULL,
    endpoint text NOT NULL,
    CONSTRAINT pk_port_leases PRIMARY KEY (id),
    CONSTRAINT uq_port_leases_node_id_address_port UNIQUE (node_id, address, port),
    CONSTRAINT fk_port_leases_node_id FOREIGN KEY (node_id) REFERENCES nodes (id) ON DELETE CASCADE,
    CONSTRAINT fk_port_leases_project_id FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
  )`,
  `CREATE INDEX ix_port_leases_project_id ON port_leases (project_id)`,
  `CREATE TABLE tasks (${ROW},
    node_id uuid NOT NULL,
    payload jsonb NOT NULL,
    state text NOT NULL DEFAULT 'pending',
    deadline_at timestamptz NOT NULL,
    result jsonb,
    error text,
    finished_at timestamptz,
    CONSTRAINT pk_tasks PRIMARY KEY (id),
    CONSTRAINT ck_tasks_state CHECK (state IN ('pending', 'done', 'failed')),
    CONSTRAINT fk_tasks_node_id FOREIGN KEY (node_id) REFERENCES nodes (id) ON DELETE CASCADE
  )`,
  `CREATE INDEX ix_tasks_pending ON tasks (node_id) WHERE state = 'pending'`,
];

const DEPLOYMENTS = [
  `CREATE TABLE releases (${ROW},
    project_id uuid NOT NULL,
    number integer NOT NULL,
    spec json NOT NULL,
    components jsonb NOT NULL,
    created_by uuid NOT NULL,
    CONSTRAINT pk_releases PRIMARY KEY (id),
    CONSTRAINT uq_releases_project_id_number UNIQUE (project_id, number),
    CONSTRAINT fk_releases_project_id FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
  )`,
  // No foreign key to the project: the record of its deletion outlives it.
  `CREATE TABLE deployments (${ROW},
    project_id uuid NOT NULL,
    team_id uuid NOT NULL,
    project text NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    state_since timestamptz NOT NULL,
    release integer,
    scope jsonb NOT NULL,
    purge boolean NOT NULL DEFAULT false,
    cancel_requested boolean NOT NULL DEFAULT false,
    requested_by uuid NOT NULL,
    actions jsonb NOT NULL,
    failure jsonb,
    epoch integer NOT NULL DEFAULT 0,
    last_event integer NOT NULL DEFAULT 0,
    wake_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT pk_deployments PRIMARY KEY (id),
    CONSTRAINT fk_deployments_team_id FOREIGN KEY (team_id) REFERENCES teams (id)
  )`,
  `CREATE INDEX ix_deployments_project_id ON deployments (project_id)`,
  `CREATE UNIQUE INDEX uq_deployments_active ON deployments (project_id) WHERE finished_at IS NULL`,
  `CREATE TABLE deployment_events (
    deployment_id uuid NOT NULL,
    seq integer NOT NULL,
    type text NOT NULL,
    data jsonb NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_deployment_events PRIMARY KEY (deployment_id, seq),
    CONSTRAINT fk_deployment_events_deployment_id FOREIGN KEY (deployment_id) REFERENCES deployments (id) ON DELETE CASCADE
  )`,
];
