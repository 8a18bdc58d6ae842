import { availableParallelism } from 'node:os';
import { Injectable } from '@nestjs/common';
import { Algorithm, hash, verify } from '@node-rs/argon2';
import { FairQueue } from '../../common/fair-queue.js';
import { requestContext } from '../../common/request-context.js';

/** At or above the floor of OWASP's recommendation for argon2id (19 MiB, 2 passes, 1 lane). */
export const ARGON2 = { algorithm: 2 satisfies Algorithm.Argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** libuv has four threads for everything; one is left to files and names. So hashing takes at most 3 × 19 MiB. */
const MOST_AT_ONCE = Math.max(1, Math.min(3, availableParallelism()));
/** At some 30 ms each, the last of them waits for less than ten seconds. */
const MOST_WAITING = 600;

/** Hashes passwords with argon2id, off the main thread, a few at a time; client addresses take turns. */
@Injectable()
export class PasswordHasher {
  private readonly queue = new FairQueue(MOST_AT_ONCE, MOST_WAITING);
  private decoy: Promise<string> | undefined;

  /** An encoded hash with its own salt and parameters. */
  hash(password: string): Promise<string> {
    return this.inTurn(() => hash(password, ARGON2));
  }

  /**
   * Whether `password` belongs to `encoded`. Without a hash (an unknown user, or one without a password) it does the same work on
   * a decoy and answers false, so that the time tells nothing.
   */
  async verify(encoded: string | null | undefined, password: string): Promise<boolean> {
    const known = encoded !== undefined && encoded !== null;
    const against = known ? encoded : await this.decoyHash();
    const matches = await this.inTurn(() => verify(against, password));
    return known && matches;
  }

  /** Whether an encoded hash has weaker parameters than new ones get; its password should be hashed again when it is next at hand. */
  isOutdated(encoded: string): boolean {
    const [, memory, time, lanes] = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$/.exec(encoded) ?? [];
    if (memory === undefined || time === undefined || lanes === undefined) return true;
    return Number(memory) < ARGON2.memoryCost || Number(time) < ARGON2.timeCost || Number(lanes) !== ARGON2.parallelism;
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.queue.run(requestContext()?.address ?? '', work);
  }

  private decoyHash(): Promise<string> {
    this.decoy ??= this.hash('nobody has this password');
    return this.decoy;
  }
}
