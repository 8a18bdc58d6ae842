import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { DomainError } from '../../common/domain-error.js';

const WINDOW_SECONDS = 15 * 60;
/** One account from one address; one account from everywhere; one address for all accounts. */
const LIMITS = { pair: 5, account: 50, address: 100 } as const;

interface Counted {
  attempts: number;
  wait: number;
}

/**
 * Counts log-in attempts in PostgreSQL, so that every replica and every restart knows them. An attempt counts before the
 * password is looked at, for known and unknown accounts alike.
 */
@Injectable()
export class Throttle {
  constructor(private readonly dataSource: DataSource) {}

  /** Counts one attempt; throws `TOO_MANY_LOGINS` (429, with the seconds to wait) beyond the limits. */
  async count(address: string, email: string): Promise<void> {
    for (const [kind, key] of keysOf(address, email)) {
      const { attempts, wait } = await this.increment(key);
      if (attempts > LIMITS[kind]) throw tooMany(wait);
    }
  }

  /** Forgets the failures of this account at this address, after a right password. */
  async forget(address: string, email: string): Promise<void> {
    const keys = keysOf(address, email).filter(([kind]) => kind !== 'address');
    await this.dataSource.query('DELETE FROM login_attempts WHERE key = ANY($1)', [keys.map(([, key]) => key)]);
  }

  /** Drops counters whose window is over. */
  async forgetOld(): Promise<void> {
    await this.dataSource.query('DELETE FROM login_attempts WHERE window_started_at < now() - make_interval(secs => $1)', [WINDOW_SECONDS]);
  }

  private async increment(key: Buffer): Promise<Counted> {
    const rows = await this.dataSource.query<Counted[]>(
      `INSERT INTO login_attempts AS a (key, attempts, window_started_at) VALUES ($1, 1, now())
       ON CONFLICT (key) DO UPDATE SET
         attempts = CASE WHEN a.window_started_at < now() - make_interval(secs => $2) THEN 1 ELSE a.attempts + 1 END,
         window_started_at = CASE WHEN a.window_started_at < now() - make_interval(secs => $2) THEN now() ELSE a.window_started_at END
       RETURNING attempts, extract(epoch FROM window_started_at + make_interval(secs => $2) - now())::int AS wait`,
      [key, WINDOW_SECONDS],
    );
    return rows[0] ?? { attempts: 1, wait: 0 };
  }
}

function keysOf(address: string, email: string): [keyof typeof LIMITS, Buffer][] {
  const key = (...parts: string[]): Buffer => createHash('sha256').update(parts.join('\0')).digest();
  return [
    ['pair', key('pair', address, email)],
    ['account', key('account', email)],
    ['address', key('address', address)],
  ];
}

function tooMany(wait: number): DomainError {
  return new DomainError('rate', 'TOO_MANY_LOGINS', 'Too many log-in attempts for this account or from this address.', {
    details: { retryAfterSeconds: wait },
    fix: `Wait ${Math.ceil(wait / 60)} minutes, then try again.`,
  });
}
