import { Injectable } from '@nestjs/common';
import { DomainError } from '../../common/domain-error.js';
import { asSystem } from '../../common/request-context.js';
import { AuditLog } from '../../modules/audit/audit-log.js';
import { UserAccounts } from '../../modules/users/user-accounts.js';
import { UserDirectory } from '../../modules/users/user-directory.js';
import type { User } from '../../modules/users/user.entity.js';
import { Throttle } from '../throttle/throttle.js';
import { PasswordHasher } from './password-hasher.js';

/** Checks address and password: the first proof of a log-in. */
@Injectable()
export class PasswordLogin {
  constructor(
    private readonly users: UserDirectory,
    private readonly accounts: UserAccounts,
    private readonly passwords: PasswordHasher,
    private readonly throttle: Throttle,
    private readonly audit: AuditLog,
  ) {}

  /**
   * The user whose password this is. Unknown address, wrong password and disabled user are one error, `CREDENTIALS_WRONG`, after the
   * same work; too many attempts are `TOO_MANY_ATTEMPTS`.
   */
  async verify(email: string, password: string, address: string): Promise<User> {
    const attempt = { address, account: email };
    await this.throttle.count('log-in', attempt);
    const user = await asSystem('log-in', () => this.users.findByEmail(email));
    const right = await this.passwords.verify(user?.passwordHash, password);
    if (!user || !right || user.disabledAt !== null) throw await this.refused(email, user);
    await this.throttle.forget('log-in', attempt);
    return this.withNewestHash(user, password);
  }

  /** After the same work for everybody: an event is written for unknown addresses too. */
  private async refused(email: string, user: User | null): Promise<DomainError> {
    await this.audit.recordNow({
      action: 'user.log-in-refused',
      outcome: 'denied',
      subject: { type: 'user', id: user?.id ?? 'unknown', name: email.toLowerCase() },
      details: { code: user?.disabledAt ? 'ACCOUNT_DISABLED' : 'CREDENTIALS_WRONG' },
    });
    return new DomainError('unauthenticated', 'CREDENTIALS_WRONG', 'The address or the password is wrong.', {
      fix: 'Check both, or ask for a link to reset the password.',
    });
  }

  /** The only moment at which the password is at hand: a hash of an earlier, weaker setting is made again. */
  private async withNewestHash(user: User, password: string): Promise<User> {
    const before = user.passwordHash;
    if (before === null || !this.passwords.isOutdated(before)) return user;
    const after = await this.passwords.hash(password);
    await asSystem('log-in', () => this.accounts.rehash(user.id, before, after));
    user.passwordHash = after;
    return user;
  }
}
