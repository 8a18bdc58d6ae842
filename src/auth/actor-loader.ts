import { Injectable } from '@nestjs/common';
import { asSystem } from '../common/request-context.js';
import { Standings } from '../modules/teams/standing.js';
import { UserDirectory } from '../modules/users/user-directory.js';
import { AbilityFactory } from './ability.js';
import type { Actor, Principal } from './actor.js';
import { SecondFactors } from './factors/second-factors.js';
import { limitAbility } from './rule-intersection.js';
import { Sessions } from './sessions/sessions.js';
import { limitsOfScopes } from './token-scopes.js';

/** Looks up on every request who asks, so that a disabled user, an ended session or a lost role counts at once. */
@Injectable()
export class ActorLoader {
  constructor(
    private readonly users: UserDirectory,
    private readonly standings: Standings,
    private readonly sessions: Sessions,
    private readonly abilities: AbilityFactory,
    private readonly factors: SecondFactors,
  ) {}

  /** The actor, or null when the user is gone or disabled, or the session has ended. */
  async load(userId: string, sessionId: string): Promise<Actor | null> {
    const [user, session, standing] = await asSystem('authentication', () =>
      Promise.all([this.users.find(userId), this.sessions.live(sessionId), this.standings.of(userId)]),
    );
    if (!user || user.disabledAt !== null || !session) return null;
    const principal = { userId, email: user.email, platformAdmin: user.platformAdmin, ...standing };
    const secondFactorMissing = !session.secondFactor && this.factors.isRequired(user);
    return { ...principal, credential: { kind: 'session', sessionId }, ability: this.abilities.for(principal), secondFactorMissing };
  }

  /** The actor behind a token: what its owner may do now, in the token's team, as far as its scopes let it through. Null as above. */
  async loadForToken(token: { id: string; userId: string; teamId: string | null; scopes: readonly string[] }): Promise<Actor | null> {
    const { userId, teamId, scopes } = token;
    const [user, standing] = await asSystem('authentication', () => Promise.all([this.users.find(userId), this.standings.of(userId)]));
    if (!user || user.disabledAt !== null) return null;
    const principal = withinTeam({ userId, email: user.email, platformAdmin: user.platformAdmin, ...standing }, teamId);
    const unscoped = this.abilities.for(principal);
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
