import { requestContext } from '../common/request-context.js';
import type { Actor } from './actor.js';

/** Tells the context of this request who asks: from here on the database shows the rows of their teams, and the audit log knows them. */
export function enterAsActor(actor: Actor): void {
  const context = requestContext();
  if (context === undefined) throw new TypeError('The request has no context: its middleware did not run');
  const { credential } = actor;
  context.actor = {
    userId: actor.userId,
    email: actor.email,
    ...(credential.kind === 'session' ? { sessionId: credential.sessionId } : { tokenId: credential.tokenId }),
    ...(actor.breakGlass === undefined ? {} : { brokenGlass: actor.breakGlass }),
    teams: actor.platformAdmin ? 'all' : actor.memberships.map((membership) => membership.teamId),
  };
}

/** Makes the rest of this request the platform's own work on behalf of a node. */
export function enterAsNode(): void {
  const context = requestContext();
  if (context === undefined) throw new TypeError('The request has no context: its middleware did not run');
  Object.assign(context, { system: true, part: 'node' });
}
