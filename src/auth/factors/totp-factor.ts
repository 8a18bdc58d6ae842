import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Not, Repository } from 'typeorm';
import { DomainError } from '../../common/domain-error.js';
import type { Transaction } from '../../common/transaction.js';
import { managerOf } from '../../database/transaction-runner.js';
import { Envelopes, placeOf } from '../../vault/envelopes.js';
import { TotpCredential } from './factor.entities.js';
import { newTotpSecret, totpStep } from './totp.js';

/** The authenticator apps of users: one each, in use once a code of it has confirmed it. */
@Injectable()
export class TotpFactor {
  constructor(
    @InjectRepository(TotpCredential) private readonly credentials: Repository<TotpCredential>,
    private readonly envelopes: Envelopes,
  ) {}

  isEnabled(userId: string): Promise<boolean> {
    return this.credentials.existsBy({ userId, confirmedAt: Not(IsNull()) });
  }

  /** A new secret that waits for its confirmation, in the place of one that waited before. Throws `TOTP_ENABLED`. */
  async begin(tx: Transaction, user: { id: string; email: string }): Promise<{ secret: string; uri: string }> {
    const manager = managerOf(tx);
    const present = await manager.findOne(TotpCredential, { where: { userId: user.id }, lock: { mode: 'pessimistic_write' } });
    if (present && present.confirmedAt !== null) {
      throw new DomainError('conflict', 'TOTP_ENABLED', 'An authenticator app is in use already.', {
        fix: 'Disable it first; then set up the new one.',
      });
    }
    const fresh = newTotpSecret(user.email);
    const secret = await this.envelopes.encrypt(placeOf('totp', user.id), fresh.secret);
    const waiting = present ?? manager.create(TotpCredential, { userId: user.id, confirmedAt: null });
    await manager.save(Object.assign(waiting, { secret, lastStep: null }));
    return fresh;
  }

  /** Puts the waiting secret into use when `code` is one of its codes. Throws `TOTP_NOT_BEGUN`. */
  async confirm(tx: Transaction, userId: string, code: string): Promise<boolean> {
    const waiting = await managerOf(tx).findOneBy(TotpCredential, { userId, confirmedAt: IsNull() });
    if (!waiting) {
      throw new DomainError('conflict', 'TOTP_NOT_BEGUN', 'No authenticator app waits for its confirmation.', {
        fix: 'Begin with POST /api/v1/me/totp.',
      });
    }
    const right = await this.useUp(tx, waiting, code);
    if (right) await managerOf(tx).update(TotpCredential, { id: waiting.id }, { confirmedAt: () => 'now()' });
    return right;
  }

  /** Uses up a code. False for a wrong one, and for one whose time step was used before, even at this very moment. */
  async spend(tx: Transaction, userId: string, code: string): Promise<boolean> {
    const credential = await managerOf(tx).findOneBy(TotpCredential, { userId, confirmedAt: Not(IsNull()) });
    return credential !== null && this.useUp(tx, credential, code);
  }

  /** Whether there was one to take away. */
  async remove(tx: Transaction, userId: string): Promise<boolean> {
    const { affected } = await managerOf(tx).delete(TotpCredential, { userId, confirmedAt: Not(IsNull()) });
    return affected === 1;
  }

  private async useUp(tx: Transaction, credential: TotpCredential, code: string): Promise<boolean> {
    const secret = await this.envelopes.decrypt(placeOf('totp', credential.userId), credential.secret);
    const step = await totpStep(secret, code, new Date());
    if (step === undefined) return false;
    // The row's lock makes two uses of one code wait for each other; the second finds the step used.
    const [, used] = await tx.query<[unknown, number]>(
      `UPDATE totp_credentials SET last_step = $2, updated_at = now() WHERE id = $1 AND (last_step IS NULL OR last_step < $2)`,
      [credential.id, step],
    );
    return used === 1;
  }
}
