import { Injectable } from '@nestjs/common';
import { DomainError } from '../common/domain-error.js';
import { Config } from '../config/config.js';
import { UserDirectory } from '../modules/users/user-directory.js';
import type { User } from '../modules/users/user.entity.js';
import { AccessTokens } from './keys/access-tokens.js';
import { Throttle } from './throttle/throttle.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { type IssuedSession, Sessions } from './sessions/sessions.js';

/** What a client needs after a log-in or a refresh. */
export interface Grant {
  accessToken: string;
  refreshToken: string;
  /** Seconds that the access token lives. */
  expiresIn: number;
  user: User;
}

/** Log-in with a password, refresh, and logout. */
@Injectable()
export class AuthService {
  constructor(
    private readonly users: UserDirectory,
    private readonly passwords: PasswordHasher,
    private readonly sessions: Sessions,
    private readonly tokens: AccessTokens,
    private readonly throttle: Throttle,
    private readonly config: Config,
  ) {}

  /**
   * Opens a session. Unknown address, wrong password and disabled user are one error, `CREDENTIALS_WRONG`, after the same
   * work; too many attempts are `TOO_MANY_LOGINS`.
   */
  async login(email: string, password: string, address: string): Promise<Grant> {
    await this.throttle.count(address, email.toLowerCase());
    const user = await this.users.findByEmail(email);
    const right = await this.passwords.verify(user?.passwordHash, password);
    if (!user || !right || user.disabledAt !== null) {
      throw new DomainError('unauthenticated', 'CREDENTIALS_WRONG', 'The address or the password is wrong.', {
        fix: 'Check both, or ask an administrator for a new password.',
      });
    }
    await this.throttle.forget(address, email.toLowerCase());
    return this.grant(user, await this.sessions.open(user.id));
  }

  /** Exchanges a refresh token; see `Sessions.rotate`. */
  async refresh(refreshToken: string): Promise<Grant> {
    const session = await this.sessions.rotate(refreshToken);
    const user = await this.users.find(session.userId);
    if (user?.disabledAt === null) return this.grant(user, session);
    throw new DomainError('unauthenticated', 'ACCOUNT_DISABLED', 'This account is disabled.', { fix: 'Ask an administrator.' });
  }

  /** Ends the session; its access tokens stop working at once. */
  logout(refreshToken: string): Promise<void> {
    return this.sessions.close(refreshToken);
  }

  private async grant(user: User, session: IssuedSession): Promise<Grant> {
    const accessToken = await this.tokens.sign(user.id, session.sessionId);
    return { accessToken, refreshToken: session.refreshToken, expiresIn: this.config.accessTokenTtl, user };
  }
}
