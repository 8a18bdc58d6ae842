import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { newId } from '../../common/ids.js';
import { Config } from '../../config/config.js';
import { SigningKeys } from './signing-keys.js';

export const TOKEN_ALGORITHM = 'ES256';
export const TOKEN_ISSUER = 'hithe';
export const TOKEN_AUDIENCE = 'hithe-api';
export const ACCESS_TOKEN_TYPE = 'access';

/** What an access token says; everything else is looked up on each request. */
export interface AccessTokenClaims {
  /** User. */
  sub: string;
  /** Session. */
  sid: string;
  /** Keeps tokens of other kinds, signed by the same key, from being used as access tokens. */
  type: typeof ACCESS_TOKEN_TYPE;
}

/** The keys cannot be looked up: says nothing about the token at hand. */
export class KeysUnavailable extends Error {
  constructor(cause: unknown) {
    super('The signing keys cannot be read.', { cause });
    this.name = 'KeysUnavailable';
  }
}

/** Signs access tokens with the installation's current key. */
@Injectable()
export class AccessTokens {
  constructor(
    private readonly jwt: JwtService,
    private readonly keys: SigningKeys,
    private readonly config: Config,
  ) {}

  async sign(userId: string, sessionId: string): Promise<string> {
    const claims: AccessTokenClaims = { sub: userId, sid: sessionId, type: ACCESS_TOKEN_TYPE };
    const { kid, privateKey } = await this.keys.current();
    return this.jwt.signAsync(claims, {
      algorithm: TOKEN_ALGORITHM,
      privateKey,
      keyid: kid,
      issuer: TOKEN_ISSUER,
      audience: TOKEN_AUDIENCE,
      expiresIn: this.config.accessTokenTtl,
      jwtid: newId(),
    });
  }

  /** PEM of the key that verifies this token, by the key id in its header; undefined when there is no such key. */
  async verifierOf(token: string): Promise<string | undefined> {
    const decoded: unknown = this.jwt.decode(token, { complete: true });
    const kid = propertyOf(propertyOf(decoded, 'header'), 'kid');
    return typeof kid === 'string' ? this.keys.verifierOf(kid) : undefined;
  }
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
