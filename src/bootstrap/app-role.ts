import { randomBytes } from 'node:crypto';
import { escapeIdentifier, escapeLiteral } from 'pg';
import type { DataSource } from 'typeorm';
import { DomainError } from '../common/domain-error.js';
import { SUPPLIED_COLUMNS } from '../modules/audit/domain/audit-record.js';
import { sqlState } from '../database/transaction-runner.js';
import { QUEUE_SCHEMA } from '../queue/queue-schema.js';

type Owner = Pick<DataSource, 'query'>;

const ALL = 'SELECT, INSERT, UPDATE, DELETE';

/** Tables on which the control plane has fewer rights than on all others. */
export const RESTRICTED: Readonly<Record<string, string>> = {
  migrations: 'SELECT',
  // Number, time and hashes are the trigger's, which alone writes the head of the chain.
  audit_events: `SELECT, INSERT (${SUPPLIED_COLUMNS.join(', ')})`,
  audit_head: 'SELECT',
  audit_segments: 'SELECT',
};

/** Functions that do, with their owner's rights, what the control plane cannot do by itself. */
const EXECUTABLE = ['audit_archive(bigint, bigint, bytea, bytea, text, bytea)'];

const INSUFFICIENT_PRIVILEGE = '42501';
const PASSWORD_BYTES = 24;

/** Gives `role` the rights of the control plane: rows of every table, and nothing that changes the tables. Repeats itself harmlessly. */
export async function grantToAppRole(owner: Owner, role: string): Promise<void> {
  const name = escapeIdentifier(role);
  // Before PostgreSQL 15, everybody may create tables there; only its owner can change that, and others get a warning.
  await owner.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC');
  for (const schema of ['public', QUEUE_SCHEMA]) {
    await owner.query(`GRANT USAGE ON SCHEMA ${schema} TO ${name}`);
    await owner.query(`GRANT ${ALL} ON ALL TABLES IN SCHEMA ${schema} TO ${name}`);
    await owner.query(`GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA ${schema} TO ${name}`);
  }
  const present = await owner.query<{ name: string }[]>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = ANY ($1)`,
    [Object.keys(RESTRICTED)],
  );
  for (const table of present) {
    await owner.query(`REVOKE ALL ON ${escapeIdentifier(table.name)} FROM ${name}`);
    await owner.query(`GRANT ${RESTRICTED[table.name] ?? ''} ON ${escapeIdentifier(table.name)} TO ${name}`);
  }
  for (const signature of EXECUTABLE) {
    const [known] = await owner.query<{ name: string | null }[]>('SELECT to_regprocedure($1)::text AS name', [signature]);
    if (known?.name) await owner.query(`GRANT EXECUTE ON FUNCTION ${signature} TO ${name}`);
  }
}

/**
 * A log-in for the control plane on the owner's database, with a new password; its URL is that of the owner with another user.
 * The name holds the database's number, which no two databases of a server share. Throws `DATABASE_ROLE_MISSING` when the owner
 * may not create roles.
 */
export async function createAppRole(owner: Owner, ownerUrl: string): Promise<string> {
  const [role] = await owner.query<{ name: string; present: boolean }[]>(
    `SELECT name, EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name) AS present
       FROM (SELECT 'hithe_app_' || oid AS name FROM pg_database WHERE datname = current_database()) AS own`,
  );
  if (role === undefined) throw new TypeError('The database does not know its own name');
  const password = randomBytes(PASSWORD_BYTES).toString('hex');
  const rights = 'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS';
  try {
    const verb = role.present ? 'ALTER' : 'CREATE';
    // NOSUPERUSER and the like may be named by superusers only once the role exists; whatever it got since, the boot refuses.
    await owner.query(`${verb} ROLE ${escapeIdentifier(role.name)} ${role.present ? 'LOGIN' : rights} PASSWORD ${escapeLiteral(password)}`);
  } catch (error) {
    if (sqlState(error) !== INSUFFICIENT_PRIVILEGE) throw error;
    throw roleMissing(role.name, error);
  }
  const url = new URL(ownerUrl);
  url.username = role.name;
  url.password = password;
  return url.href;
}

function roleMissing(role: string, cause: unknown): DomainError {
  return new DomainError(
    'forbidden',
    'DATABASE_ROLE_MISSING',
    'The control plane needs a database role that owns no table, and the given role may not create one.',
    {
      fix: [
        'As an administrator of the server, run one of these:',
        `  CREATE ROLE ${role} LOGIN PASSWORD 'a long random password';`,
        '    then set HITHE_DATABASE_URL to its URL, and HITHE_DATABASE_OWNER_URL to the one that you use now; or',
        '  ALTER ROLE the_present_role CREATEROLE;',
        '    and Hithe creates that role by itself.',
      ].join('\n'),
      cause,
    },
  );
}
