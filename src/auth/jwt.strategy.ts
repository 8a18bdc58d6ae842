import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { ACCESS_TOKEN_TYPE, type AccessTokenClaims, AccessTokens, TOKEN_ALGORITHM, TOKEN_AUDIENCE, TOKEN_ISSUER } from './keys/access-tokens.js';
import type { Actor } from './actor.js';
import { ActorLoader } from './actor-loader.js';

/** Accepts `Authorization: Bearer` access tokens: ES256 by our key, our issuer and audience, not expired, session alive. */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') {
  constructor(
    tokens: AccessTokens,
    private readonly actors: ActorLoader,
  ) {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKeyProvider: (_request: unknown, _token: string, done: (error: Error | null, key?: string) => void) => {
        done(null, tokens.publicKey);
      },
      algorithms: [TOKEN_ALGORITHM],
      issuer: TOKEN_ISSUER,
      audience: TOKEN_AUDIENCE,
      ignoreExpiration: false,
    });
  }

  async validate(claims: Partial<AccessTokenClaims>): Promise<Actor | null> {
    if (claims.type !== ACCESS_TOKEN_TYPE || claims.sub === undefined || claims.sid === undefined) return null;
    return this.actors.load(claims.sub, claims.sid);
  }
}
