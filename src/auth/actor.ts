import type { AppAbility } from './ability.js';
import type { CustomRule } from './custom-rules.js';

/** Roles of a team that every installation has, strongest first. `auditor` stands beside `viewer`: events, but no logs. */
export const TEAM_ROLES = ['owner', 'admin', 'developer', 'viewer', 'auditor'] as const;
export type TeamRole = (typeof TEAM_ROLES)[number];

/** A role of a team; `custom` is one that the team made itself. */
export const ANY_ROLES = [...TEAM_ROLES, 'custom'] as const;
export type AnyRole = (typeof ANY_ROLES)[number];

/** Roles that a grant may give on one project. The owner's says nothing more about a project than the admin's. */
export const PROJECT_ROLES = ['admin', 'developer', 'viewer', 'auditor'] as const satisfies readonly TeamRole[];
export type ProjectRole = (typeof PROJECT_ROLES)[number];

export interface Membership {
  teamId: string;
  role: AnyRole;
  /** The custom role and its rules, with `custom`. */
  roleId?: string;
  rules?: readonly CustomRule[];
}

/** A role on one project, beside the role in its team. */
export interface ProjectGrant {
  teamId: string;
  projectId: string;
  role: ProjectRole | 'custom';
  rules?: readonly CustomRule[];
}

/** Who asks, as far as policies may know. */
export interface Principal {
  userId: string;
  email: string;
  platformAdmin: boolean;
  memberships: Membership[];
  grants?: readonly ProjectGrant[];
  /** Teams whose glass this platform administrator has broken, as long as that lasts: the id of each case by team. */
  breakGlass?: Readonly<Record<string, string>>;
}

/** Who asks, with everything that they may do; get it with `@CurrentActor()`. */
export interface Actor extends Principal {
  /** What this request proved itself with. */
  credential: { kind: 'session'; sessionId: string } | { kind: 'token'; tokenId: string; scopes: readonly string[] };
  ability: AppAbility;
  /** With a token: what its owner may do in its team, whatever its scopes. Only to tell a missing scope from a missing right. */
  unscoped?: AppAbility;
  /** The operator demands a second factor and this session has shown none: only `@BeforeSecondFactor()` routes are open. */
  secondFactorMissing?: boolean;
}

const RANKS: Readonly<Record<AnyRole, number>> = { owner: 3, admin: 2, developer: 1, viewer: 0, auditor: 0, custom: 0 };

/** Whether `role` ranks with `atLeast` or above. For who manages whom; what a role may do is in the role table. */
export function isAtLeast(role: AnyRole, atLeast: TeamRole): boolean {
  return RANKS[role] >= RANKS[atLeast];
}

/** The role of `principal` in a team, if any. */
export function roleIn(principal: Pick<Principal, 'memberships'>, teamId: string): AnyRole | undefined {
  return principal.memberships.find((membership) => membership.teamId === teamId)?.role;
}
