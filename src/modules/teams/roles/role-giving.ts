import type { Actor, Membership } from '../../../auth/actor.js';
import { type MissingRight, type RoleRights, isBelow, limitedTo, missingFrom, rightsIn, rightsOf } from '../../../auth/team-rights.js';
import type { CustomRule, Reach } from '../../../auth/custom-rules.js';
import { DomainError, type Fault } from '../../../common/domain-error.js';

/** Somebody with what they may do at this moment. */
export type Giver = Pick<Actor, 'ability' | 'memberships'>;

/**
 * Throws `ROLE_TOO_HIGH` unless `actor` may give and take these roles in the team: an owner all of them, everybody else those below
 * their own rights, and nobody what they do not hold themselves at this moment.
 */
export function assertMayGive(actor: Giver, teamId: string, roles: readonly RoleRights[]): void {
  for (const role of roles) {
    const reason = whyNotGive(actor, teamId, role);
    if (reason !== undefined) throw roleTooHigh(teamId, reason);
  }
}

/** Whether `assertMayGive` lets this role pass. */
export function mayGive(actor: Giver, teamId: string, role: RoleRights): boolean {
  return whyNotGive(actor, teamId, role) === undefined;
}

function whyNotGive(actor: Giver, teamId: string, role: RoleRights): string | undefined {
  const wanted = rightsOf(role);
  const missing = missingFrom(rightsIn(actor.ability, teamId), wanted);
  if (missing.length > 0) return `It holds what you do not: ${listOf(missing)}.`;
  const membership = actor.memberships.find((each) => each.teamId === teamId);
  // What they hold beside their role (grants, the platform's administration) does not raise them above others.
  const own = rightsOfMember(membership);
  return membership?.role === 'owner' || isBelow(wanted, own) ? undefined : 'It is not below your own.';
}

/** The same for roles on one project: nobody grants what they do not hold on it. */
export function assertMayGrant(actor: Actor, project: { id: string; teamId: string }, roles: readonly RoleRights[]): void {
  const held = rightsIn(actor.ability, project.teamId);
  for (const role of roles) {
    const missing = missingFrom(held, limitedTo(project.id, rightsOf(role)));
    if (missing.length > 0) throw roleTooHigh(project.teamId, `On this project it holds what you do not: ${listOf(missing)}.`);
  }
}

function rightsOfMember(membership: Membership | undefined): Reach {
  if (membership === undefined) return new Map<string, never>();
  return rightsOf(membership.role === 'custom' ? { rules: membership.rules ?? [] } : membership.role);
}

/** Throws `RULE_BEYOND_YOURS`, naming each rule that gives what `actor` does not hold in the team. */
export function assertHoldsRules(actor: Actor, teamId: string, rules: readonly CustomRule[]): void {
  const held = rightsIn(actor.ability, teamId);
  const missing = missingFrom(held, rightsOf({ rules }));
  if (missing.length === 0) return;
  const faults = rules.flatMap((rule, index): Fault[] => {
    if (rule.inverted === true) return [];
    // What later rules take away again is not given.
    const own = missingFrom(held, rightsOf({ rules: [rule, ...rules.slice(index + 1).filter((later) => later.inverted === true)] }));
    return own.length === 0
      ? []
      : [{ path: `rules[${index}]`, code: 'RULE_BEYOND_YOURS', message: `You do not hold this yourself in this team: ${listOf(own)}.` }];
  });
  throw new DomainError('forbidden', 'RULE_BEYOND_YOURS', `The role would hold what you do not: ${listOf(missing)}.`, {
    faults,
    fix: 'Leave these actions out, or limit them to what you may do; or ask an owner of the team to make the role.',
    details: { audit: { teamId } },
  });
}

function listOf(missing: readonly MissingRight[]): string {
  return missing.map(({ action, subject }) => `${action} ${subject}`).join(', ');
}

function roleTooHigh(teamId: string, reason: string): DomainError {
  return new DomainError('forbidden', 'ROLE_TOO_HIGH', `You cannot give or take this role. ${reason}`, {
    fix: 'Ask an owner of the team.',
    details: { audit: { teamId } },
  });
}
