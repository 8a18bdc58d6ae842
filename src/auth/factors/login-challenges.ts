import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, Repository } from 'typeorm';
import type { Transaction } from '../../common/transaction.js';
import { managerOf } from '../../database/transaction-runner.js';
import { LoginChallenge } from './factor.entities.js';
import type { FirstFactor } from './login-proof.js';
import { randomToken, sha256 } from '../../common/random-token.js';

const PREFIX = 'hithe_lc_';
export const CHALLENGE_SECONDS = 5 * 60;
const MOST_ATTEMPTS = 5;

/** A log-in that waits for its second proof. */
export interface PendingLogin {
  id: string;
  userId: string;
  firstFactor: FirstFactor;
}

/** Log-ins between their two proofs: five minutes, five attempts, one success. The database knows the hash of each challenge only. */
@Injectable()
export class LoginChallenges {
  constructor(@InjectRepository(LoginChallenge) private readonly challenges: Repository<LoginChallenge>) {}

  async issue(userId: string, firstFactor: FirstFactor): Promise<string> {
    const token = randomToken(PREFIX);
    const expiresAt = new Date(Date.now() + CHALLENGE_SECONDS * 1000);
    await this.challenges.save(this.challenges.create({ userId, firstFactor, tokenHash: sha256(token), attempts: 0, expiresAt }));
    return token;
  }

  /** Whose challenge this is; null for an unknown, used or expired one. */
  async userOf(token: string): Promise<string | null> {
    const found = await this.challenges.findOneBy({ tokenHash: sha256(token), expiresAt: MoreThan(new Date()) });
    return found?.userId ?? null;
  }

  /** Counts an attempt and holds the challenge until the transaction ends; null when no attempt is left. */
  async attempt(tx: Transaction, token: string): Promise<PendingLogin | null> {
    const [rows] = await tx.query<[{ id: string; user_id: string; first_factor: FirstFactor }[], number]>(
      `UPDATE login_challenges SET attempts = attempts + 1, updated_at = now()
        WHERE token_hash = $1 AND expires_at > now() AND attempts < $2 RETURNING id, user_id, first_factor`,
      [sha256(token), MOST_ATTEMPTS],
    );
    const [found] = rows;
    return found ? { id: found.id, userId: found.user_id, firstFactor: found.first_factor } : null;
  }

  async spend(tx: Transaction, pending: PendingLogin): Promise<void> {
    await managerOf(tx).delete(LoginChallenge, { id: pending.id });
  }

  /** Ends the log-ins of a user that are half way, because their first proof is void. */
  async forgetAllOf(tx: Transaction, userId: string): Promise<void> {
    await managerOf(tx).delete(LoginChallenge, { userId });
  }

  async forgetOld(): Promise<void> {
    await this.challenges.query('DELETE FROM login_challenges WHERE expires_at < now()');
  }
}
