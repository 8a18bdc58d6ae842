import { Injectable } from '@nestjs/common';
import { DomainError } from '../common/domain-error.js';
import { asSystem } from '../common/request-context.js';
import { Config } from '../config/config.js';
import { TransactionRunner } from '../database/transaction-runner.js';
import { AuditLog } from '../modules/audit/audit-log.js';
import { UserAccounts } from '../modules/users/user-accounts.js';
import type { User } from '../modules/users/user.entity.js';
import type { LoginProof } from './factors/login-proof.js';
import { AccessTokens } from './keys/access-tokens.js';
import type { ClientInfo } from './sessions/client-info.js';
import { type IssuedSession, Sessions } from './sessions/sessions.js';

/** What a client needs after a log-in or a refresh. */
export interface Grant {
  accessToken: string;
  refreshToken: string;
  /** Seconds that the access token lives. */
  expiresIn: number;
  user: User;
}

/** The end of every way to log in; refresh, and logout. */
@Injectable()
export class AuthService {
  constructor(
    private readonly accounts: UserAccounts,
    private readonly sessions: Sessions,
    private readonly tokens: AccessTokens,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
    private readonly config: Config,
  ) {}

  /**
   * Opens a session for a user who has proved who they are. Throws `ACCOUNT_DISABLED`, and `LOGIN_OUTDATED` when the password was
   * changed since the proof: whoever changes it ends all sessions, so none may begin by the one before.
   */
  async admit(user: User, proof: LoginProof, client: ClientInfo): Promise<Grant> {
    const session = await asSystem('log-in', () =>
      this.transactions.run(async (tx) => {
        const now = await this.accounts.hold(tx, user.id);
        if (now?.disabledAt !== null) return 'disabled';
        if (now.passwordHash !== user.passwordHash) return 'outdated';
        const opened = await this.sessions.open(tx, user.id, { client, methods: proof.methods, secondFactor: proof.secondFactor });
        await this.audit.record(tx, {
          action: 'user.logged-in',
          subject: { type: 'user', id: user.id, name: user.email },
          details: { session: opened.sessionId, methods: proof.methods, userAgent: client.userAgent },
          actor: { userId: user.id, email: user.email },
        });
        return opened;
      }),
    );
    if (session === 'disabled') throw disabled();
    if (session === 'outdated') {
      throw new DomainError('unauthenticated', 'LOGIN_OUTDATED', 'The password was changed during this log-in.', { fix: 'Log in again.' });
    }
    return this.grant(user, session);
  }

  /** Exchanges a refresh token; see `Sessions.rotate`. */
  async refresh(refreshToken: string, client: ClientInfo): Promise<Grant> {
    const session = await this.sessions.rotate(refreshToken, client);
    const user = await this.transactions.run((tx) => this.accounts.find(tx, session.userId));
    if (user?.disabledAt === null) return this.grant(user, session);
    throw disabled();
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

function disabled(): DomainError {
  return new DomainError('unauthenticated', 'ACCOUNT_DISABLED', 'This account is disabled.', { fix: 'Ask an administrator.' });
}
