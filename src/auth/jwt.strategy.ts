import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import {
  ACCESS_TOKEN_TYPE,
  type AccessTokenClaims,
  AccessTokens,
  KeysUnavailable,
  TOKEN_ALGORITHM,
  TOKEN_AUDIENCE,
  TOKEN_ISSUER,
} from './keys/access-tokens.js';
import type { TokenClaims } from './keys/verified-tokens.js';

/** Accepts `Authorization: Bearer` access tokens: ES256 by our key, our issuer and audience, not expired. */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') {
  constructor(tokens: AccessTokens) {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKeyProvider: (_request: unknown, token: string, done: (error: Error | null, key?: string) => void) => {
        tokens.verifierOf(token).then(
          (key) => {
            // Without a key nothing is left to be verified.
            if (key === undefined) done(new Error('The key of this token is not known'));
            else done(null, key);
          },
          (error: unknown) => {
            done(new KeysUnavailable(error));
          },
        );
      },
      algorithms: [TOKEN_ALGORITHM],
      issuer: TOKEN_ISSUER,
      audience: TOKEN_AUDIENCE,
      ignoreExpiration: false,
    });
  }

  /** What the guard needs to find out who asks: a token alone says it of no session that has ended. */
  validate({ type, sub, sid, exp }: Partial<AccessTokenClaims> & { exp?: number }): TokenClaims | null {
    if (type !== ACCESS_TOKEN_TYPE || sub === undefined || sid === undefined || exp === undefined) return null;
    return { sub, sid, exp };
  }
}
