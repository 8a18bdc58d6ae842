import { DomainError } from '../common/domain-error.js';
import type { Action, SubjectName } from './ability.js';
import { scopeFor } from './token-scopes.js';

/** Why a token may not do what its owner may: a scope is missing, or no scope covers it. */
export function tokenRefusal(action: Action, subject: SubjectName, details: Record<string, unknown> = {}): DomainError {
  const scope = scopeFor(action, subject);
  return scope === undefined ? tokenNotAllowed(details) : scopeMissing(scope, details);
}

/** `SCOPE_MISSING`: the owner may, but this token lacks `scope`, or has it for other projects only. */
export function scopeMissing(scope: string, details: Record<string, unknown> = {}): DomainError {
  return new DomainError('forbidden', 'SCOPE_MISSING', `This token lacks the scope "${scope}" for that.`, {
    details: { ...details, requiredScope: scope },
    fix: `Create a token with the scope "${scope}"; scopes of a token never change.`,
  });
}

/** `TOKEN_NOT_ALLOWED`: for people who are logged in only, so that a stolen token cannot make itself permanent. */
export function tokenNotAllowed(details: Record<string, unknown> = {}): DomainError {
  return new DomainError('forbidden', 'TOKEN_NOT_ALLOWED', 'No API token may do this, whatever its scopes.', {
    details,
    fix: 'Log in with your account, and do it as yourself.',
  });
}
