import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { DomainError } from '../../common/domain-error.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import { AuditLog } from '../../modules/audit/audit-log.js';
import { UserDirectory } from '../../modules/users/user-directory.js';
import type { Actor } from '../actor.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { Session } from '../sessions/session.entity.js';
import { Throttle } from '../throttle/throttle.js';
import { SecondFactors, type SecondProof } from './second-factors.js';

const FRESH_SECONDS = 5 * 60;

/**
 * Asks users to prove again who they are before they change what they log in with, and before what is as grave: a stolen access
 * token must not become a passkey of the thief's. A proof holds for five minutes in its session.
 */
@Injectable()
export class Reauthentication {
  constructor(
    @InjectRepository(Session) private readonly sessions: Repository<Session>,
    private readonly users: UserDirectory,
    private readonly passwords: PasswordHasher,
    private readonly factors: SecondFactors,
    private readonly transactions: TransactionRunner,
    private readonly throttle: Throttle,
    private readonly audit: AuditLog,
  ) {}

  /** Takes a proof. Throws `PROOF_WRONG` (403: the session itself is good) and, for too many, `TOO_MANY_ATTEMPTS`. */
  async prove(actor: Actor, proof: SecondProof | { password: string }, address: string): Promise<void> {
    const sessionId = sessionOf(actor);
    const attempt = { address, account: actor.userId };
    await this.throttle.count('second-factor', attempt);
    const right =
      'password' in proof ? await this.isPassword(actor.userId, proof.password) : await this.isSecondFactor(actor.userId, proof);
    if (!right) {
      await this.audit.recordNow({ action: 'user.reauthentication-refused', outcome: 'denied', subject: subjectOf(actor) });
      throw new DomainError('forbidden', 'PROOF_WRONG', 'This proof is wrong, or it was used before.', {
        fix: 'Try again; a code of an authenticator app works once, so wait for the next one.',
      });
    }
    await this.throttle.forget('second-factor', attempt);
    await this.sessions.update({ id: sessionId }, { provedAt: () => 'now()' });
  }

  /** Throws `REAUTHENTICATION_REQUIRED` unless this session has a fresh proof, or the user has just logged in and has nothing else to prove with. */
  async require(actor: Actor): Promise<void> {
    const { proved, recent } = await this.freshness(actor);
    if (proved || (recent && !(await this.canProve(actor.userId)))) return;
    throw reauthenticationRequired();
  }

  /** Throws `REAUTHENTICATION_REQUIRED` unless this session has a fresh proof, or began within the same five minutes: scripts log in, and go on. */
  async requireRecent(actor: Actor): Promise<void> {
    const { proved, recent } = await this.freshness(actor);
    if (!proved && !recent) throw reauthenticationRequired();
  }

  private async freshness(actor: Actor): Promise<{ proved: boolean; recent: boolean }> {
    const [session] = await this.sessions.query<{ proved: boolean; recent: boolean }[]>(
      `SELECT coalesce(proved_at > now() - make_interval(secs => $2), false) AS proved, created_at > now() - make_interval(secs => $2) AS recent
         FROM sessions WHERE id = $1`,
      [sessionOf(actor), FRESH_SECONDS],
    );
    return session ?? { proved: false, recent: false };
  }

  private async canProve(userId: string): Promise<boolean> {
    const user = await this.users.find(userId);
    return (user !== null && user.passwordHash !== null) || (await this.factors.methodsOf(userId)).length > 0;
  }

  private async isPassword(userId: string, password: string): Promise<boolean> {
    const user = await this.users.find(userId);
    return this.passwords.verify(user?.passwordHash ?? undefined, password);
  }

  private async isSecondFactor(userId: string, proof: SecondProof): Promise<boolean> {
    return (await this.transactions.run((tx) => this.factors.prove(tx, userId, proof))) !== null;
  }
}

function reauthenticationRequired(): DomainError {
  return new DomainError('forbidden', 'REAUTHENTICATION_REQUIRED', 'Prove again who you are before you do this.', {
    fix: 'Send the password or a code to POST /api/v1/me/reauthenticate, then repeat this within five minutes. Without either, log in again.',
  });
}

/** The session of the request; API tokens never get here. */
export function sessionOf(actor: Actor): string {
  if (actor.credential.kind === 'session') return actor.credential.sessionId;
  throw new DomainError('forbidden', 'TOKEN_NOT_ALLOWED', 'An API token cannot change how its owner logs in.', { fix: 'Log in.' });
}

/** The actor as the subject of an audit event. */
export function subjectOf(actor: { userId: string; email: string }): { type: string; id: string; name: string } {
  return { type: 'user', id: actor.userId, name: actor.email };
}
