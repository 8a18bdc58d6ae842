import { Injectable } from '@nestjs/common';
import type { AccessTokenClaims } from './access-tokens.js';
import { SigningKeys } from './signing-keys.js';

/** What a request needs of a verified access token. */
export type VerifiedClaims = Pick<AccessTokenClaims, 'sub' | 'sid'>;

/** The same with its expiry, seconds since the epoch. */
export type TokenClaims = VerifiedClaims & { exp: number };

interface Verified extends VerifiedClaims {
  kid: string;
  /** PEM of the key that verified it. */
  key: string;
  /** Seconds since the epoch. */
  expires: number;
}

const MOST_REMEMBERED = 5_000;

/**
 * Remembers which access tokens were verified, by their whole text: a signature that was right stays right. Expiry is looked at each time, and so is
 * whether the key still verifies; session, user and rights are none of its business. (A check of ES256 with all around it costs 0.2 ms, measured.)
 */
@Injectable()
export class VerifiedTokens {
  private readonly known = new Map<string, Verified>();

  constructor(private readonly keys: SigningKeys) {}

  /** The claims of a token that was verified before and is still good; undefined: it has to be verified. */
  async claimsOf(token: string, now = Date.now()): Promise<VerifiedClaims | undefined> {
    const verified = this.known.get(token);
    if (verified === undefined) return undefined;
    if (verified.expires * 1_000 > now && (await this.keys.verifierOf(verified.kid)) === verified.key) return verified;
    this.known.delete(token);
    return undefined;
  }

  /** Takes note of a token that has just been verified. */
  async remember(token: string, claims: TokenClaims): Promise<void> {
    const kid = keyIdOf(token);
    const key = kid === undefined ? undefined : await this.keys.verifierOf(kid);
    if (kid === undefined || key === undefined) return;
    const [oldest] = this.known.keys();
    if (this.known.size >= MOST_REMEMBERED && oldest !== undefined) this.known.delete(oldest);
    this.known.set(token, { sub: claims.sub, sid: claims.sid, kid, key, expires: claims.exp });
  }
}

function keyIdOf(token: string): string | undefined {
  const { kid } = JSON.parse(Buffer.from(token.split('.', 1)[0] ?? '', 'base64url').toString()) as { kid?: unknown };
  return typeof kid === 'string' ? kid : undefined;
}
