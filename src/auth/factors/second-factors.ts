import { Injectable } from '@nestjs/common';
import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import { asSystem } from '../../common/request-context.js';
import type { Transaction } from '../../common/transaction.js';
import { Config } from '../../config/config.js';
import { CHALLENGE_SECONDS, LoginChallenges } from './login-challenges.js';
import type { FirstFactor, SecondFactorChallenge, SecondFactorMethod } from './login-proof.js';
import { Passkeys } from './passkeys.js';
import { RecoveryCodes } from './recovery-codes.js';
import { TotpFactor } from './totp-factor.js';

/** One proof, by exactly one of the methods. */
export type SecondProof = { totp: string } | { recoveryCode: string } | { passkey: AuthenticationResponseJSON };

export interface SecondFactorStatus {
  totp: boolean;
  passkeys: boolean;
  recoveryCodesLeft: number;
  /** Whether the operator demands one of this user. */
  required: boolean;
}

/** The second factors of users: which they have, whether they need one, and whether a proof by one is right. */
@Injectable()
export class SecondFactors {
  constructor(
    private readonly totp: TotpFactor,
    private readonly recoveryCodes: RecoveryCodes,
    private readonly passkeys: Passkeys,
    private readonly challenges: LoginChallenges,
    private readonly config: Config,
  ) {}

  /** Whether the operator demands a second factor of this user (`HITHE_REQUIRE_SECOND_FACTOR`). */
  isRequired(user: { platformAdmin: boolean }): boolean {
    const { requireSecondFactor } = this.config;
    return requireSecondFactor === 'all' || (requireSecondFactor === 'admins' && user.platformAdmin);
  }

  async statusOf(user: { id: string; platformAdmin: boolean }): Promise<SecondFactorStatus> {
    const [totp, passkeys, recoveryCodesLeft] = await Promise.all([
      this.totp.isEnabled(user.id),
      this.passkeys.any(user.id),
      this.recoveryCodes.left(user.id),
    ]);
    return { totp, passkeys, recoveryCodesLeft, required: this.isRequired(user) };
  }

  /** The methods by which this user can give a second proof; none: the password alone is all there is. */
  async methodsOf(userId: string): Promise<SecondFactorMethod[]> {
    const { totp, passkeys, recoveryCodesLeft } = await this.statusOf({ id: userId, platformAdmin: false });
    if (!totp && !passkeys) return [];
    const methods: [SecondFactorMethod, boolean][] = [
      ['totp', totp],
      ['passkey', passkeys],
      ['recovery-code', recoveryCodesLeft > 0],
    ];
    return methods.filter(([, available]) => available).map(([method]) => method);
  }

  /** Whether this user has a second factor at all, as the transaction sees it. */
  async hasAny(tx: Transaction, userId: string): Promise<boolean> {
    const [found] = await tx.query<{ any: boolean }[]>(
      `SELECT EXISTS (SELECT 1 FROM totp_credentials WHERE user_id = $1 AND confirmed_at IS NOT NULL)
           OR EXISTS (SELECT 1 FROM passkeys WHERE user_id = $1) AS any`,
      [userId],
    );
    return found?.any === true;
  }

  /** After a right first proof: what to ask for next, or null when a session may be opened at once. */
  challengeFor(userId: string, first: FirstFactor): Promise<SecondFactorChallenge | null> {
    return asSystem('log-in', async () => {
      const methods = await this.methodsOf(userId);
      if (methods.length === 0) return null;
      return { challenge: await this.challenges.issue(userId, first), methods, expiresIn: CHALLENGE_SECONDS };
    });
  }

  /** Uses up a proof; the method that it was, or null when it is not right. */
  async prove(tx: Transaction, userId: string, proof: SecondProof): Promise<SecondFactorMethod | null> {
    if ('totp' in proof) return (await this.totp.spend(tx, userId, proof.totp)) ? 'totp' : null;
    if ('recoveryCode' in proof) return (await this.recoveryCodes.spend(tx, userId, proof.recoveryCode)) ? 'recovery-code' : null;
    return (await this.passkeys.verify(tx, userId, proof.passkey)) === null ? null : 'passkey';
  }
}
