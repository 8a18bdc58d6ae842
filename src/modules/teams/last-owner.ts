import { DomainError } from '../../common/domain-error.js';
import type { Transaction } from '../../common/transaction.js';

/** Others who own the team and can act for it: an account that is disabled cannot. */
const OTHER_OWNERS = `
  SELECT count(*)::int AS others FROM memberships m JOIN users u ON u.id = m.user_id
   WHERE m.team_id = $1 AND m.role = 'owner' AND m.user_id <> $2 AND u.disabled_at IS NULL`;

const OWNED_TEAMS = `
  SELECT t.id, t.name FROM teams t JOIN memberships m ON m.team_id = t.id
   WHERE m.user_id = $1 AND m.role = 'owner' AND t.personal_of IS DISTINCT FROM $1 ORDER BY t.id FOR UPDATE OF t`;

/** Makes changes of one team's members wait for each other, so that two owners cannot leave at once. */
export async function lockTeam(tx: Transaction, teamId: string): Promise<void> {
  await tx.query('SELECT 1 FROM teams WHERE id = $1 FOR UPDATE', [teamId]);
}

/** Throws `LAST_OWNER` when nobody but this user owns the team and could act for it. Holds the lock. */
export async function assertOtherOwner(tx: Transaction, teamId: string, userId: string): Promise<void> {
  if (await hasOtherOwner(tx, teamId, userId)) return;
  throw new DomainError('conflict', 'LAST_OWNER', 'This is the last owner of the team; a team cannot be without one.', {
    fix: 'Make somebody else an owner first.',
  });
}

/**
 * Throws `LAST_OWNER` when a team, other than the user's personal one, would be without an owner if this user were gone or could
 * not log in. For whoever disables or deletes users, in the same transaction. Needs the platform's own access to rows.
 */
export async function assertOwnersRemain(tx: Transaction, userId: string): Promise<void> {
  const owned = await tx.query<{ id: string; name: string }[]>(OWNED_TEAMS, [userId]);
  const orphaned: string[] = [];
  for (const team of owned) if (!(await hasOtherOwner(tx, team.id, userId))) orphaned.push(`"${team.name}"`);
  if (orphaned.length === 0) return;
  throw new DomainError('conflict', 'LAST_OWNER', `This user is the last owner of ${orphaned.join(', ')}.`, {
    fix: 'Transfer or delete these teams first.',
  });
}

/** Whether somebody else owns the team and could act for it. Ask while holding its lock. */
export async function hasOtherOwner(tx: Transaction, teamId: string, userId: string): Promise<boolean> {
  const [row] = await tx.query<{ others: number }[]>(OTHER_OWNERS, [teamId, userId]);
  return row !== undefined && row.others > 0;
}
