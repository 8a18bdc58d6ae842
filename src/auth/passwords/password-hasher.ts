import { Injectable } from '@nestjs/common';
import { Algorithm, hash, verify } from '@node-rs/argon2';

/** At or above the floor of OWASP's recommendation for argon2id (19 MiB, 2 passes, 1 lane). */
const OPTIONS = { algorithm: 2 satisfies Algorithm.Argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Hashes passwords with argon2id, off the main thread. */
@Injectable()
export class PasswordHasher {
  private decoy: Promise<string> | undefined;

  /** An encoded hash with its own salt and parameters. */
  hash(password: string): Promise<string> {
    return hash(password, OPTIONS);
  }

  /**
   * Whether `password` belongs to `encoded`. Without a hash (an unknown user) it does the same work on a decoy and answers
   * false, so that the time tells nothing.
   */
  async verify(encoded: string | undefined, password: string): Promise<boolean> {
    const known = encoded !== undefined;
    const matches = await verify(known ? encoded : await this.decoyHash(), password);
    return known && matches;
  }

  private decoyHash(): Promise<string> {
    this.decoy ??= this.hash('nobody has this password');
    return this.decoy;
  }
}
