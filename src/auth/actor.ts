import type { AppAbility } from './ability.js';

/** Roles of a team, strongest first. */
export const TEAM_ROLES = ['owner', 'admin', 'developer', 'viewer'] as const;
export type TeamRole = (typeof TEAM_ROLES)[number];

export interface Membership {
  teamId: string;
  role: TeamRole;
}

/** Who asks, as far as policies may know. */
export interface Principal {
  userId: string;
  email: string;
  platformAdmin: boolean;
  memberships: Membership[];
}

/** Who asks, with everything that they may do; get it with `@CurrentActor()`. */
export interface Actor extends Principal {
  /** What this request proved itself with. */
  credential: { kind: 'session'; sessionId: string } | { kind: 'token'; tokenId: string; scopes: readonly string[] };
  ability: AppAbility;
}

/** Whether `role` is `atLeast` or stronger. */
export function isAtLeast(role: TeamRole, atLeast: TeamRole): boolean {
  return TEAM_ROLES.indexOf(role) <= TEAM_ROLES.indexOf(atLeast);
}

/** Ids of the teams in which `principal` has at least that role. */
export function teamsWithRole(principal: Principal, atLeast: TeamRole): string[] {
  return principal.memberships.filter((membership) => isAtLeast(membership.role, atLeast)).map((membership) => membership.teamId);
}

/** The role of `principal` in a team, if any. */
export function roleIn(principal: Principal, teamId: string): TeamRole | undefined {
  return principal.memberships.find((membership) => membership.teamId === teamId)?.role;
}
