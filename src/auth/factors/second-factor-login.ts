import { Injectable } from '@nestjs/common';
import type { AuthenticationResponseJSON, PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server';
import { DomainError } from '../../common/domain-error.js';
import { asSystem } from '../../common/request-context.js';
import type { Transaction } from '../../common/transaction.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import { AuditLog } from '../../modules/audit/audit-log.js';
import { UserDirectory } from '../../modules/users/user-directory.js';
import type { User } from '../../modules/users/user.entity.js';
import { AuthService, type Grant } from '../auth.service.js';
import type { ClientInfo } from '../sessions/client-info.js';
import { Throttle } from '../throttle/throttle.js';
import { LoginChallenges } from './login-challenges.js';
import type { LoginProof } from './login-proof.js';
import { Passkeys } from './passkeys.js';
import { SecondFactors, type SecondProof } from './second-factors.js';

/** Finishes log-ins that need a second proof, and does those by a passkey alone. */
@Injectable()
export class SecondFactorLogin {
  constructor(
    private readonly auth: AuthService,
    private readonly users: UserDirectory,
    private readonly factors: SecondFactors,
    private readonly passkeys: Passkeys,
    private readonly challenges: LoginChallenges,
    private readonly transactions: TransactionRunner,
    private readonly throttle: Throttle,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Opens the session when the proof is right. Throws `CHALLENGE_INVALID` when the log-in must begin again, `SECOND_FACTOR_WRONG`
   * (also for a code that was used before, or by somebody else at this moment), and `TOO_MANY_ATTEMPTS`.
   */
  async complete(challenge: string, proof: SecondProof, client: ClientInfo): Promise<Grant> {
    const user = await this.challenged(challenge);
    const attempt = { address: client.address, account: user.id };
    await this.throttle.count('second-factor', attempt);
    const proved = await this.inTransaction(async (tx): Promise<LoginProof | 'spent' | 'wrong'> => {
      const pending = await this.challenges.attempt(tx, challenge);
      if (!pending) return 'spent';
      const method = await this.factors.prove(tx, pending.userId, proof);
      if (method === null) return 'wrong';
      await this.challenges.spend(tx, pending);
      if (method === 'recovery-code')
        await this.audit.record(tx, { action: 'recovery-code.used', subject: subjectOf(user), actor: actorOf(user) });
      return { methods: [pending.firstFactor, method], secondFactor: true };
    });
    if (proved === 'spent') throw challengeInvalid();
    if (proved === 'wrong') throw await this.refused(user, 'SECOND_FACTOR_WRONG');
    await this.throttle.forget('second-factor', attempt);
    return this.auth.admit(user, proved, client);
  }

  /** What a passkey has to sign to finish this log-in. */
  async passkeyOptions(challenge: string): Promise<PublicKeyCredentialRequestOptionsJSON> {
    const { id } = await this.challenged(challenge);
    return asSystem('log-in', () => this.passkeys.loginOptions(id));
  }

  /** What any passkey has to sign to log in its owner. */
  async discoverableOptions(client: ClientInfo): Promise<PublicKeyCredentialRequestOptionsJSON> {
    await this.throttle.count('passkey-options', { address: client.address });
    return this.passkeys.loginOptions(null);
  }

  /** Opens a session for the owner of the passkey, or throws `PASSKEY_REFUSED`. */
  async withPasskey(response: AuthenticationResponseJSON, client: ClientInfo): Promise<Grant> {
    await this.throttle.count('second-factor', { address: client.address, account: response.id });
    const passkey = await this.inTransaction((tx) => this.passkeys.verify(tx, null, response));
    const user = passkey === null ? null : await this.users.find(passkey.userId);
    if (!user) throw await this.refused(null, 'PASSKEY_REFUSED');
    await this.throttle.forget('second-factor', { address: client.address, account: response.id });
    return this.auth.admit(user, { methods: ['passkey'], secondFactor: true }, client);
  }

  /** Nobody is logged in yet, so it is the platform that looks. */
  private inTransaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return asSystem('log-in', () => this.transactions.run(work));
  }

  private async challenged(challenge: string): Promise<User> {
    const userId = await this.challenges.userOf(challenge);
    const user = userId === null ? null : await this.users.find(userId);
    if (!user) throw challengeInvalid();
    return user;
  }

  private async refused(user: User | null, code: 'SECOND_FACTOR_WRONG' | 'PASSKEY_REFUSED'): Promise<DomainError> {
    await this.audit.recordNow({
      action: 'user.log-in-refused',
      outcome: 'denied',
      subject: user ? subjectOf(user) : { type: 'user', id: 'unknown' },
      details: { code },
      ...(user ? { actor: actorOf(user) } : {}),
    });
    const [message, fix] = REFUSALS[code];
    return new DomainError('unauthenticated', code, message, { fix });
  }
}

const REFUSALS = {
  SECOND_FACTOR_WRONG: [
    'The code or the passkey is wrong, or it was used before.',
    'Try again; a code of an authenticator app works once, so wait for the next one.',
  ],
  PASSKEY_REFUSED: ['This passkey is not known here, or its answer is not valid.', 'Try again, or log in with the password.'],
} as const;

function challengeInvalid(): DomainError {
  return new DomainError('unauthenticated', 'CHALLENGE_INVALID', 'This log-in has expired, was finished, or had too many wrong codes.', {
    fix: 'Log in again.',
  });
}

function subjectOf(user: User): { type: string; id: string; name: string } {
  return { type: 'user', id: user.id, name: user.email };
}

function actorOf(user: User): { userId: string; email: string } {
  return { userId: user.id, email: user.email };
}
