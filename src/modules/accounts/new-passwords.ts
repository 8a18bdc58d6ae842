import { Injectable } from '@nestjs/common';
import type { Actor } from '../../auth/actor.js';
import { LoginChallenges } from '../../auth/factors/login-challenges.js';
import { PasswordHasher } from '../../auth/passwords/password-hasher.js';
import { passwordFault } from '../../auth/passwords/password-policy.js';
import { Sessions } from '../../auth/sessions/sessions.js';
import { DomainError } from '../../common/domain-error.js';
import { asSystem } from '../../common/request-context.js';
import type { Transaction } from '../../common/transaction.js';
import { invalidRequest } from '../../http/validation.js';
import { AuditLog } from '../audit/audit-log.js';
import { type User, UserAccounts } from '../users/user-accounts.js';
import { PasswordResets } from './password-resets.js';

/** An API token that a new password did not end. */
export interface RemainingToken {
  id: string;
  name: string;
}

/** What came of a new password. */
export interface NewPasswordResult {
  endedSessions: number;
  /** Machines depend on them, so they stay; their owner decides. */
  remainingTokens: RemainingToken[];
  /** Names of passkeys: whoever knew the old password may have added one. */
  remainingPasskeys: string[];
  /** Addresses, or issuers, of identities at an OIDC provider, for the same reason. */
  remainingIdentities: string[];
}

/** Puts a new password in the place of another, with all that this entails. Who may do so is for the callers. */
@Injectable()
export class NewPasswords {
  constructor(
    private readonly accounts: UserAccounts,
    private readonly passwords: PasswordHasher,
    private readonly sessions: Sessions,
    private readonly resets: PasswordResets,
    private readonly challenges: LoginChallenges,
    private readonly audit: AuditLog,
  ) {}

  /** The hash of a password that is good enough for the account; otherwise an `invalid` error that names the fault. */
  async hashOf(password: string, email: string, path: string): Promise<string> {
    const fault = passwordFault(password, email, path);
    if (fault) throw invalidRequest([fault]);
    return this.passwords.hash(password);
  }

  /** Whether a hash is that of a password. */
  matches(hash: string | null, password: string): Promise<boolean> {
    return this.passwords.verify(hash, password);
  }

  /**
   * Stores the hash; ends all sessions but the one to keep, half-finished log-ins and open reset links. The user must be locked.
   */
  async put(
    tx: Transaction,
    user: User,
    hash: string,
    how: { action: 'password.changed' | 'password.reset'; keep?: string; actor?: Pick<Actor, 'userId' | 'email'> },
  ): Promise<NewPasswordResult> {
    user.passwordHash = hash;
    await this.accounts.save(tx, user);
    await this.resets.withdraw(tx, user.id);
    await asSystem('passwords', () => this.challenges.forgetAllOf(tx, user.id));
    const endedSessions = await this.sessions.endAll(tx, user.id, how.keep === undefined ? 'password-reset' : 'password-changed', how.keep);
    await this.audit.record(tx, {
      action: how.action,
      subject: { type: 'user', id: user.id, name: user.email },
      details: { endedSessions },
      ...(how.actor ? { actor: { userId: how.actor.userId, email: how.actor.email } } : {}),
    });
    return { endedSessions, remainingTokens: await remainingTokens(tx, user.id), ...(await remainingWaysIn(tx, user.id)) };
  }
}

async function remainingTokens(tx: Transaction, userId: string): Promise<RemainingToken[]> {
  return asSystem('passwords', () =>
    tx.query<RemainingToken[]>(
      'SELECT id, name FROM api_tokens WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > now() ORDER BY id',
      [userId],
    ),
  );
}

async function remainingWaysIn(
  tx: Transaction,
  userId: string,
): Promise<Pick<NewPasswordResult, 'remainingPasskeys' | 'remainingIdentities'>> {
  const [found] = await asSystem('passwords', () =>
    tx.query<Pick<NewPasswordResult, 'remainingPasskeys' | 'remainingIdentities'>[]>(
      `SELECT ARRAY(SELECT name FROM passkeys WHERE user_id = $1 ORDER BY id) AS "remainingPasskeys",
              ARRAY(SELECT coalesce(email, issuer) FROM identities WHERE user_id = $1 ORDER BY id) AS "remainingIdentities"`,
      [userId],
    ),
  );
  return found ?? { remainingPasskeys: [], remainingIdentities: [] };
}

/** The error for a current password that is wrong: the session itself is good, so this is no 401. */
export function currentPasswordWrong(user: User): DomainError {
  return new DomainError('forbidden', 'CURRENT_PASSWORD_WRONG', 'The current password is wrong.', {
    fix: 'Check it, or ask for a link to reset it.',
    details: { audit: { subject: { type: 'user', id: user.id, name: user.email } } },
  });
}
