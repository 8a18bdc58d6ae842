import { DomainError } from '../../common/domain-error.js';
import type { Transaction } from '../../common/transaction.js';

/** Makes changes of one user's ways to log in wait for each other. */
export async function lockUser(tx: Transaction, userId: string): Promise<void> {
  await tx.query('SELECT 1 FROM users WHERE id = $1 FOR UPDATE', [userId]);
}

/** After one was taken away: throws `LAST_WAY_IN` when the user could not log in any more. */
export async function assertWayIn(tx: Transaction, userId: string): Promise<void> {
  const [found] = await tx.query<{ any: boolean }[]>(
    `SELECT password_hash IS NOT NULL OR EXISTS (SELECT 1 FROM passkeys p WHERE p.user_id = u.id)
         OR EXISTS (SELECT 1 FROM identities i WHERE i.user_id = u.id) AS any
       FROM users u WHERE u.id = $1`,
    [userId],
  );
  if (found?.any === true) return;
  throw new DomainError('conflict', 'LAST_WAY_IN', 'Nothing would be left to log in with.', {
    fix: 'Set a password, register a passkey or link an identity first.',
  });
}
