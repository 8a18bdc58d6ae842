import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Projects that not every developer may touch. */
export class ProtectedProjects1795410000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE projects ADD COLUMN protected boolean NOT NULL DEFAULT false');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE projects DROP COLUMN protected');
  }
}
