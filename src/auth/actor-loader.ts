import { Injectable } from '@nestjs/common';
import { AbilityFactory } from './ability.js';
import type { Actor, Principal } from './actor.js';
import { SecondFactors } from './factors/second-factors.js';
import { Principals } from './principals.js';
import { limitAbility } from './rule-intersection.js';
import { limitsOfScopes } from './token-scopes.js';

/** Looks up on every request who asks, so that a disabled user, an ended session or a lost role counts at once. */
@Injectable()
export class ActorLoader {
  constructor(
    private readonly principals: Principals,
    private readonly abilities: AbilityFactory,
    private readonly factors: SecondFactors,
  ) {}

  /** The actor, or null when the user is gone or disabled, or the session has ended. */
  async load(userId: string, sessionId: string): Promise<Actor | null> {
    const found = await this.principals.ofSession(userId, sessionId);
    if (found === null) return null;
    const { principal, ability, secondFactor } = found;
    const secondFactorMissing = !secondFactor && this.factors.isRequired(principal);
    return { ...principal, credential: { kind: 'session', sessionId }, ability, secondFactorMissing };
  }

  /** The actor behind a token: what its owner may do now, in the token's team, as far as its scopes let it through. Null as above. */
  async loadForToken(token: { id: string; userId: string; teamId: string | null; scopes: readonly string[] }): Promise<Actor | null> {
    const { userId, teamId, scopes } = token;
    const found = await this.principals.ofUser(userId);
    if (found === null) return null;
    const principal = withinTeam(found.principal, teamId);
    const unscoped = teamId === null ? found.ability : this.abilities.for(principal);
    const ability = limitAbility(unscoped, limitsOfScopes(scopes, { userId, teamId }));
    return { ...principal, credential: { kind: 'token', tokenId: token.id, scopes }, ability, unscoped };
  }
}

/** The principal as far as one team is concerned. Nobody administers the platform from within a team. */
function withinTeam(principal: Principal, teamId: string | null): Principal {
  if (teamId === null) return principal;
  const here = (each: { teamId: string }): boolean => each.teamId === teamId;
  return {
    userId: principal.userId,
    email: principal.email,
    platformAdmin: false,
    memberships: principal.memberships.filter(here),
    ...(principal.grants === undefined ? {} : { grants: principal.grants.filter(here) }),
  };
}
