import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Keys for single purposes, sealed under the platform key. */
export class Vault1795500600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE named_keys (
      name text NOT NULL,
      ciphertext bytea NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_named_keys PRIMARY KEY (name)
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE named_keys');
  }
}
