import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Repository } from 'typeorm';
import type { Transaction } from '../../common/transaction.js';
import { managerOf } from '../../database/transaction-runner.js';
import { RecoveryCode } from './factor.entities.js';
import { newRecoveryCodes, recoveryCodeHash } from './recovery-code.js';

/** The codes that stand in for a lost device. Each works once; the database knows their hashes only. */
@Injectable()
export class RecoveryCodes {
  constructor(@InjectRepository(RecoveryCode) private readonly codes: Repository<RecoveryCode>) {}

  left(userId: string): Promise<number> {
    return this.codes.countBy({ userId, usedAt: IsNull() });
  }

  /** Ten new codes in the place of all former ones; shown once. */
  async replace(tx: Transaction, userId: string): Promise<string[]> {
    const manager = managerOf(tx);
    await manager.delete(RecoveryCode, { userId });
    const fresh = newRecoveryCodes();
    await manager.save(fresh.map((code) => manager.create(RecoveryCode, { userId, codeHash: recoveryCodeHash(code), usedAt: null })));
    return fresh;
  }

  /** Uses up a code; false for a wrong one and for one that was used before. */
  async spend(tx: Transaction, userId: string, code: string): Promise<boolean> {
    const { affected } = await managerOf(tx).update(
      RecoveryCode,
      { userId, codeHash: recoveryCodeHash(code), usedAt: IsNull() },
      { usedAt: () => 'now()' },
    );
    return affected === 1;
  }

  async clear(tx: Transaction, userId: string): Promise<void> {
    await managerOf(tx).delete(RecoveryCode, { userId });
  }
}
