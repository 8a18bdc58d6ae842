import { createHash, randomBytes } from 'node:crypto';

const TOKEN_BYTES = 32;

/** A token of 256 random bits with a prefix that says what it is for. */
export function randomToken(prefix: string): string {
  return prefix + randomBytes(TOKEN_BYTES).toString('base64url');
}

/** What the database keeps of a random token. Only for values with enough randomness of their own to need no salt. */
export function sha256(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
