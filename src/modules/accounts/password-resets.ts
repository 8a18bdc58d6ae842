import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, MoreThan, Repository } from 'typeorm';
import { randomToken, sha256 } from '../../common/random-token.js';
import { asSystem } from '../../common/request-context.js';
import type { Transaction } from '../../common/transaction.js';
import { managerOf } from '../../database/transaction-runner.js';
import { PasswordReset } from './password-reset.entity.js';

const PREFIX = 'hithe_pr_';
const LIFE_MS = 60 * 60 * 1000;

export interface IssuedReset {
  /** In clear for the last time. */
  token: string;
  expiresAt: Date;
}

/** Tokens that let somebody choose a new password: an hour, one use, and only the newest of each user. Kept by hash. */
@Injectable()
export class PasswordResets {
  constructor(@InjectRepository(PasswordReset) private readonly resets: Repository<PasswordReset>) {}

  async issue(tx: Transaction, userId: string): Promise<IssuedReset> {
    const token = randomToken(PREFIX);
    const expiresAt = new Date(Date.now() + LIFE_MS);
    const reset = managerOf(tx).create(PasswordReset, { userId, tokenHash: sha256(token), expiresAt });
    await asSystem('password-resets', () => managerOf(tx).upsert(PasswordReset, reset, ['userId']));
    return { token, expiresAt };
  }

  /** Whose token this is; null for an unknown, used or expired one. */
  async userOf(token: string): Promise<string | null> {
    const found = await asSystem('password-resets', () =>
      this.resets.findOneBy({ tokenHash: sha256(token), expiresAt: MoreThan(new Date()) }),
    );
    return found?.userId ?? null;
  }

  /** Uses the token up; false when somebody else was faster. */
  async spend(tx: Transaction, token: string): Promise<boolean> {
    const { affected } = await managerOf(tx).delete(PasswordReset, { tokenHash: sha256(token) });
    return affected === 1;
  }

  /** Makes the open link of a user useless. */
  async withdraw(tx: Transaction, userId: string): Promise<void> {
    await asSystem('password-resets', () => managerOf(tx).delete(PasswordReset, { userId }));
  }

  async forgetOld(): Promise<void> {
    await this.resets.delete({ expiresAt: LessThan(new Date()) });
  }
}
