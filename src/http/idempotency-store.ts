import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, Repository } from 'typeorm';
import { DomainError } from '../common/domain-error.js';
import { newId } from '../common/ids.js';
import { IdempotencyKey } from './idempotency-key.entity.js';

export interface StoredAnswer {
  status: number;
  body: unknown;
}

export interface Claim {
  id: string;
  /** Present when this request was answered before. */
  answer?: StoredAnswer;
}

/** A claim without an answer for this long belongs to a process that died. */
const ABANDONED_AFTER_MS = 2 * 60_000;
const KEPT_FOR_MS = 24 * 3_600_000;

/** A key that is too old to count is as good as none. */
const CLAIM = `
  INSERT INTO idempotency_keys AS known (id, user_id, key, request_hash) VALUES ($1, $2, $3, $4)
  ON CONFLICT (user_id, key) DO UPDATE
    SET id = EXCLUDED.id, request_hash = EXCLUDED.request_hash, status = NULL, body = NULL, created_at = now(), updated_at = now()
    WHERE known.updated_at < $5
  RETURNING id`;

/** Remembers requests and their answers by actor and key, for a day. */
@Injectable()
export class IdempotencyStore {
  constructor(@InjectRepository(IdempotencyKey) private readonly keys: Repository<IdempotencyKey>) {}

  /**
   * Takes the key for this request, or finds its answer. Throws `IDEMPOTENCY_KEY_REUSED` when the key stood for another
   * request, and `REQUEST_IN_PROGRESS` while the first one is being worked on.
   */
  async claim(userId: string, key: string, requestHash: Buffer): Promise<Claim> {
    const id = newId();
    const inserted = await this.keys.query<unknown[]>(CLAIM, [id, userId, key, requestHash, new Date(Date.now() - KEPT_FOR_MS)]);
    if (inserted.length > 0) return { id };
    const known = await this.keys.findOneByOrFail({ userId, key });
    if (!known.requestHash.equals(requestHash)) {
      throw new DomainError('conflict', 'IDEMPOTENCY_KEY_REUSED', 'This Idempotency-Key stood for another request.', {
        fix: 'Use a new key for each intent.',
      });
    }
    if (known.status !== null) return { id: known.id, answer: { status: known.status, body: known.body } };
    return this.takeOver(known);
  }

  /** Keeps the answer. */
  async complete(id: string, answer: StoredAnswer): Promise<void> {
    await this.keys.query('UPDATE idempotency_keys SET status = $2, body = $3, updated_at = now() WHERE id = $1', [
      id,
      answer.status,
      JSON.stringify(answer.body ?? null),
    ]);
  }

  /** Gives the key back after a failure. */
  async release(id: string): Promise<void> {
    await this.keys.delete({ id });
  }

  /** Drops what is older than a day; returns how many. */
  async forgetOld(): Promise<number> {
    const { affected } = await this.keys.delete({ updatedAt: LessThan(new Date(Date.now() - KEPT_FOR_MS)) });
    return affected ?? 0;
  }

  private async takeOver(known: IdempotencyKey): Promise<Claim> {
    const abandoned = LessThan(new Date(Date.now() - ABANDONED_AFTER_MS));
    const { affected } = await this.keys.update({ id: known.id, updatedAt: abandoned }, { updatedAt: new Date() });
    if (affected === 1) return { id: known.id };
    throw new DomainError('conflict', 'REQUEST_IN_PROGRESS', 'The first request with this Idempotency-Key is still being worked on.', {
      fix: 'Wait a moment, and repeat it.',
      details: { retryAfterSeconds: 1 },
    });
  }
}
