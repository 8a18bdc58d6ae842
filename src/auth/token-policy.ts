import type { Actor } from './actor.js';
import type { RoutePolicy } from './auth.decorators.js';
import { scopeMissing, tokenNotAllowed, tokenRefusal } from './token-refusal.js';
import { parseScope } from './token-scopes.js';

/** Throws when this request was made with an API token, and its route is none for that token: `TOKEN_NOT_ALLOWED`, `SCOPE_MISSING`. */
export function assertTokenMay(policy: RoutePolicy, actor: Actor | undefined): void {
  if (actor === undefined || actor.credential.kind === 'session') return;
  if (policy.kind !== 'authenticated' && policy.kind !== 'ability') return;
  const { token } = policy;
  if (policy.kind === 'ability') {
    const { action, subject } = policy;
    // Whatever their owner may not do either is refused for that reason, by the guard.
    if (actor.unscoped?.can(action, subject) !== true) return;
    if (!actor.ability.can(action, subject)) throw tokenRefusal(action, subject);
  }
  if (token === 'never') throw tokenNotAllowed();
  if (token !== 'any' && !hasScope(actor.credential.scopes, token)) throw scopeMissing(token);
}

function hasScope(scopes: readonly string[], wanted: string): boolean {
  return scopes.some((scope) => parseScope(scope)?.name === wanted);
}
