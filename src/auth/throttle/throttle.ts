import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DomainError } from '../../common/domain-error.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import { LIMITS, type ThrottledKind, type ThrottleScope } from './throttle-limits.js';

/** Who tries. `account` is whatever names it: an address, a user's id. */
export interface Attempter {
  address: string;
  account?: string | undefined;
}

interface Counted {
  key: Buffer;
  attempts: number;
  wait: number;
}

/**
 * Counts attempts in PostgreSQL, so that every replica and every restart knows them. An attempt counts before anything
 * is looked at, for known and unknown accounts alike; windows begin with the first attempt.
 */
@Injectable()
export class Throttle {
  constructor(private readonly transactions: TransactionRunner) {}

  /** Counts one attempt; throws `TOO_MANY_ATTEMPTS` (429, with the seconds to wait) beyond the limits of its kind. */
  async count(kind: ThrottledKind, who: Attempter): Promise<void> {
    const scopes = scopesOf(kind, who);
    const counted = await this.increment(
      scopes.map((scope) => scope.key),
      LIMITS[kind].seconds,
    );
    const waits = scopes.flatMap(({ key, limit }) =>
      counted.filter((each) => each.key.equals(key) && each.attempts > limit).map((each) => each.wait),
    );
    if (waits.length > 0) throw tooMany(Math.max(...waits));
  }

  /**
   * Takes back what a success has counted: this account's failures at this address are forgotten, and the attempt counts no
   * more for the account and the address by themselves, whose failures elsewhere stay known. It does not wait for the disk: what a
   * crash of the database loses of it leaves the counters too high, never too low, and a log-in is 2 ms faster.
   */
  async forget(kind: ThrottledKind, who: Attempter): Promise<void> {
    const scopes = scopesOf(kind, who);
    const keysOf = (wanted: (scope: ThrottleScope) => boolean): Buffer[] =>
      scopes.filter(({ scope }) => wanted(scope)).map(({ key }) => key);
    await this.transactions.statement(
      `WITH forgotten AS (DELETE FROM attempts WHERE key = ANY($1))
       UPDATE attempts SET attempts = greatest(attempts - 1, 0)
       WHERE key = ANY($2) AND (SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL`,
      [keysOf((scope) => scope === 'pair'), keysOf((scope) => scope !== 'pair')],
    );
  }

  /** Drops counters whose window is over. */
  async forgetOld(): Promise<void> {
    await this.transactions.statement('DELETE FROM attempts WHERE expires_at < now()', []);
  }

  /** All counters in one statement, in one order, so that two attempts never wait for each other's rows crosswise. */
  private increment(keys: Buffer[], seconds: number): Promise<Counted[]> {
    return this.transactions.statement<Counted[]>(
      `INSERT INTO attempts AS a (key, attempts, expires_at)
       SELECT key, 1, now() + make_interval(secs => $2) FROM unnest($1::bytea[]) AS key ORDER BY key
       ON CONFLICT (key) DO UPDATE SET
         attempts = CASE WHEN a.expires_at < now() THEN 1 ELSE a.attempts + 1 END,
         expires_at = CASE WHEN a.expires_at < now() THEN excluded.expires_at ELSE a.expires_at END
       RETURNING key, attempts, ceil(extract(epoch FROM expires_at - now()))::int AS wait`,
      [keys, seconds],
    );
  }
}

function scopesOf(kind: ThrottledKind, who: Attempter): { scope: ThrottleScope; key: Buffer; limit: number }[] {
  const limits: Partial<Record<ThrottleScope, number>> = LIMITS[kind].limits;
  const account = who.account?.toLowerCase();
  const names: Record<ThrottleScope, string[] | undefined> = {
    address: [who.address],
    account: account === undefined ? undefined : [account],
    pair: account === undefined ? undefined : [who.address, account],
  };
  return (['pair', 'account', 'address'] as const).flatMap((scope) => {
    const limit = limits[scope];
    const name = names[scope];
    if (limit === undefined || name === undefined) return [];
    const key = createHash('sha256')
      .update([kind, scope, ...name].join('\0'))
      .digest();
    return [{ scope, key, limit }];
  });
}

function tooMany(wait: number): DomainError {
  return new DomainError('rate', 'TOO_MANY_ATTEMPTS', 'Too many attempts for this account or from this address.', {
    details: { retryAfterSeconds: wait },
    fix: wait > 90 ? `Wait ${Math.ceil(wait / 60)} minutes, then try again.` : `Wait ${wait} seconds, then try again.`,
  });
}
