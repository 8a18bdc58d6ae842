import type { MigrationInterface, QueryRunner } from 'typeorm';
import {
  createContextFunctions,
  dropContextFunctions,
  protectByProject,
  protectByTeam,
  protectByUser,
  protectForSystem,
  protectThrough,
  unprotect,
} from './support/row-level-security.js';

/** The second wall: every row that belongs to a team is out of reach unless the transaction says whose rows it may see. */
export class RowLevelSecurity1795500000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createContextFunctions(runner);
    await protectByTeam(runner, 'teams', 'id');
    for (const table of OF_TEAMS) await protectByTeam(runner, table);
    for (const table of OF_PROJECTS) await protectByProject(runner, table);
    await protectThrough(runner, 'deployment_events', 'deployment_id', 'deployments');
    // Kept answers are what tenants have read.
    await protectByUser(runner, 'idempotency_keys');
    // What nodes are asked to do, with the specifications of whoever wants it.
    await protectForSystem(runner, 'tasks');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['tasks', 'idempotency_keys', 'deployment_events', ...OF_PROJECTS, ...OF_TEAMS, 'teams'])
      await unprotect(runner, table);
    await dropContextFunctions(runner);
  }
}

const OF_TEAMS = ['memberships', 'projects', 'sources', 'deployments', 'allocations'];
const OF_PROJECTS = ['secrets', 'releases', 'port_leases'];
