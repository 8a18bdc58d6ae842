import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Transaction } from '../../common/transaction.js';
import { WebauthnChallenge, type WebauthnPurpose } from './factor.entities.js';
import { randomToken, sha256 } from '../../common/random-token.js';

export const CEREMONY_SECONDS = 5 * 60;

/** What devices are asked to sign. Each is random, works once, for five minutes, for one purpose, and where it says so for one user. */
@Injectable()
export class WebauthnChallenges {
  constructor(@InjectRepository(WebauthnChallenge) private readonly challenges: Repository<WebauthnChallenge>) {}

  /** A new challenge, in base64url. */
  async issue(purpose: WebauthnPurpose, userId: string | null): Promise<string> {
    const challenge = randomToken('');
    const expiresAt = new Date(Date.now() + CEREMONY_SECONDS * 1000);
    await this.challenges.save(this.challenges.create({ challengeHash: sha256(challenge), purpose, userId, expiresAt }));
    return challenge;
  }

  /** Uses up a challenge; false when it was not issued for this, was used before, or is too old. */
  async spend(tx: Transaction, challenge: string, purpose: WebauthnPurpose, userId: string | null): Promise<boolean> {
    const [, deleted] = await tx.query<[unknown, number]>(
      `DELETE FROM webauthn_challenges WHERE challenge_hash = $1 AND purpose = $2 AND user_id IS NOT DISTINCT FROM $3 AND expires_at > now()`,
      [sha256(challenge), purpose, userId],
    );
    return deleted === 1;
  }

  async forgetOld(): Promise<void> {
    await this.challenges.query('DELETE FROM webauthn_challenges WHERE expires_at < now()');
  }
}
