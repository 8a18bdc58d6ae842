import { Injectable } from '@nestjs/common';
import { asSystem } from '../common/request-context.js';
import { TeamsService } from '../modules/teams/teams.service.js';
import { UserDirectory } from '../modules/users/user-directory.js';
import { AbilityFactory } from './ability.js';
import type { Actor } from './actor.js';
import { SecondFactors } from './factors/second-factors.js';
import { Sessions } from './sessions/sessions.js';

/** Looks up on every request who asks, so that a disabled user, an ended session or a lost role counts at once. */
@Injectable()
export class ActorLoader {
  constructor(
    private readonly users: UserDirectory,
    private readonly teams: TeamsService,
    private readonly sessions: Sessions,
    private readonly abilities: AbilityFactory,
    private readonly factors: SecondFactors,
  ) {}

  /** The actor, or null when the user is gone or disabled, or the session has ended. */
  async load(userId: string, sessionId: string): Promise<Actor | null> {
    const [user, session, memberships] = await asSystem('authentication', () =>
      Promise.all([this.users.find(userId), this.sessions.live(sessionId), this.teams.membershipsOf(userId)]),
    );
    if (!user || user.disabledAt !== null || !session) return null;
    const principal = { userId, email: user.email, platformAdmin: user.platformAdmin, memberships };
    const secondFactorMissing = !session.secondFactor && this.factors.isRequired(user);
    return { ...principal, credential: { kind: 'session', sessionId }, ability: this.abilities.for(principal), secondFactorMissing };
  }
}
