import { Client } from 'pg';
import { DomainError } from '../common/domain-error.js';

interface Role {
  name: string;
  superuser: boolean;
  bypassesRls: boolean;
  createsRoles: boolean;
  /** A table or the database that it owns, or could by SET ROLE. */
  owned: string | null;
  prepared: boolean;
}

const ROLE = `
  SELECT rolname AS name, rolsuper AS superuser, rolbypassrls AS "bypassesRls", rolcreaterole AS "createsRoles",
    to_regclass('public.migrations') IS NOT NULL AS prepared,
    (SELECT 'table ' || c.oid::regclass FROM pg_class c
      WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'pgboss')) AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
        AND pg_has_role(c.relowner, 'MEMBER')
      UNION ALL
      SELECT 'database ' || datname FROM pg_database WHERE datname = current_database() AND pg_has_role(datdba, 'MEMBER')
      LIMIT 1) AS owned
  FROM pg_roles WHERE rolname = current_user`;

/**
 * Refuses to serve as a database role that row-level security does not hold: a superuser, one that bypasses it or creates roles,
 * or an owner of tables. Throws `DATABASE_ROLE_TOO_STRONG`; `DATABASE_NOT_PREPARED` before the first bootstrap.
 */
export async function assertServingRole(url: string, urlFile: string): Promise<void> {
  const client = new Client({ connectionString: url, application_name: 'hithe-start' });
  await client.connect();
  try {
    const { rows } = await client.query<Role>(ROLE);
    const [role] = rows;
    if (role === undefined) throw new TypeError('The database does not know the role that it let in');
    const reason = reasonAgainst(role);
    if (reason !== undefined) throw tooStrong(role.name, reason, urlFile);
    if (!role.prepared) throw notPrepared();
  } finally {
    await client.end();
  }
}

function reasonAgainst(role: Role): string | undefined {
  if (role.superuser) return 'is a superuser';
  if (role.bypassesRls) return 'bypasses row-level security';
  if (role.createsRoles) return 'may create roles';
  return role.owned === null ? undefined : `owns the ${role.owned}`;
}

function tooStrong(name: string, reason: string, urlFile: string): DomainError {
  return new DomainError(
    'forbidden',
    'DATABASE_ROLE_TOO_STRONG',
    `The database role "${name}" ${reason}, so nothing would keep the rows of one team from another.`,
    {
      fix: [
        `Give this URL to the bootstrap alone, as HITHE_DATABASE_OWNER_URL ('npm start' does so by itself).`,
        `The control plane serves with a role that owns nothing: the bootstrap creates it and keeps its URL in ${urlFile},`,
        'or set HITHE_DATABASE_URL to one of your own.',
      ].join('\n'),
    },
  );
}

function notPrepared(): DomainError {
  return new DomainError('unavailable', 'DATABASE_NOT_PREPARED', 'The database has no tables of Hithe yet.', {
    fix: "Run dist/src/bootstrap.js first, with the owner's URL in HITHE_DATABASE_OWNER_URL; 'npm start' does.",
  });
}
