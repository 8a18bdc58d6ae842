import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectByProject, unprotect } from './support/row-level-security.js';

/** Variables that are set apart from hithe.yaml, version by version, and copies of what references name. */
export class Variables1795500610000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE variables (
      id uuid NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      project_id uuid NOT NULL,
      component text NOT NULL,
      name text NOT NULL,
      version integer NOT NULL,
      kind text NOT NULL,
      value text,
      ciphertext bytea,
      created_by uuid,
      CONSTRAINT pk_variables PRIMARY KEY (id),
      CONSTRAINT uq_variables_project_id_component_name_version UNIQUE (project_id, component, name, version),
      CONSTRAINT fk_variables_project_id FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE,
      CONSTRAINT ck_variables_kind CHECK (kind IN ('plain', 'secret', 'reference', 'removed')),
      CONSTRAINT ck_variables_value CHECK ((kind IN ('plain', 'reference')) = (value IS NOT NULL) AND (kind = 'secret') = (ciphertext IS NOT NULL))
    )`);
    await runner.query('ALTER TABLE secrets ADD COLUMN source_version integer');
    await protectByProject(runner, 'variables');
  }

  async down(runner: QueryRunner): Promise<void> {
    await unprotect(runner, 'variables');
    await runner.query('ALTER TABLE secrets DROP COLUMN source_version');
    await runner.query('DROP TABLE variables');
  }
}
