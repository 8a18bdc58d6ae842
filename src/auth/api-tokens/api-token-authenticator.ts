import { Injectable } from '@nestjs/common';
import { DomainError } from '../../common/domain-error.js';
import { asSystem } from '../../common/request-context.js';
import { ActorLoader } from '../actor-loader.js';
import type { Actor } from '../actor.js';
import { type StoredToken, ApiTokens } from './api-tokens.js';
import { ApiTokenUse } from './api-token-use.js';
import { kindOfToken } from './token-format.js';

/** Turns an API token into who asks, with its owner's rights of this moment as far as its scopes let them through. */
@Injectable()
export class ApiTokenAuthenticator {
  constructor(
    private readonly tokens: ApiTokens,
    private readonly actors: ActorLoader,
    private readonly use: ApiTokenUse,
  ) {}

  /**
   * Throws `TOKEN_MALFORMED` (a typo; the database is not asked), `TOKEN_UNKNOWN`, `TOKEN_REVOKED`, `TOKEN_EXPIRED`, or
   * `TOKEN_OWNER_DISABLED`.
   */
  async authenticate(token: string): Promise<Actor> {
    if (kindOfToken(token) === undefined)
      throw refused('TOKEN_MALFORMED', 'This API token is not whole: its checksum does not fit.', 'Copy all of it again.');
    return asSystem('authentication', async () => {
      const found = await this.tokens.find(token);
      if (found === null) throw refused('TOKEN_UNKNOWN', 'This API token is not known here.', 'Check the server and the token.');
      assertLive(found);
      const actor = await this.actors.loadForToken(found);
      if (actor === null) throw refusedFor(found, 'TOKEN_OWNER_DISABLED', 'The owner of this API token is disabled.');
      this.use.note(found, actor);
      return actor;
    });
  }
}

function assertLive(token: StoredToken): void {
  if (token.revokedAt !== null) throw refusedFor(token, 'TOKEN_REVOKED', 'This API token was revoked.');
  if (token.expiresAt.getTime() <= Date.now())
    throw refusedFor(token, 'TOKEN_EXPIRED', `This API token expired on ${token.expiresAt.toISOString()}.`);
}

function refusedFor(token: StoredToken, code: string, message: string): DomainError {
  return refused(code, message, 'Create another one: hithe tokens create.', {
    audit: { ...(token.teamId === null ? {} : { teamId: token.teamId }), subject: { type: 'token', id: token.id, name: token.name } },
  });
}

function refused(code: string, message: string, fix: string, details: Record<string, unknown> = {}): DomainError {
  return new DomainError('unauthenticated', code, message, { fix, details });
}
