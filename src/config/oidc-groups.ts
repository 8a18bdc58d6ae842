import { ValidateBy } from 'class-validator';

/** What membership of one group of the OIDC provider gives. */
export interface GroupRights {
  platformAdmin: boolean;
  /** Role by slug of the team. */
  teams: Readonly<Record<string, GroupRole>>;
}

/** Roles that groups may give. */
export const GROUP_ROLES = ['owner', 'admin', 'developer', 'viewer', 'auditor'] as const;
export type GroupRole = (typeof GROUP_ROLES)[number];

/** Rights by the name of the group. */
export type OidcGroups = Readonly<Record<string, GroupRights>>;

const PLATFORM_ADMIN = 'platform-admin';

/**
 * Reads `{"developers": {"harbour-crew": "developer"}, "operators": "platform-admin"}`; false for anything
 * else, which `IsOidcGroups` refuses (null would count as absent).
 */
export function parseOidcGroups(text: string): OidcGroups | false {
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value)) return false;
    return Object.fromEntries(Object.entries(value).map(([group, rights]) => [group, rightsOf(rights)]));
  } catch {
    return false;
  }
}

function rightsOf(value: unknown): GroupRights {
  if (value === PLATFORM_ADMIN) return { platformAdmin: true, teams: {} };
  if (!isRecord(value)) throw new TypeError('neither "platform-admin" nor roles by team');
  return { platformAdmin: false, teams: Object.fromEntries(Object.entries(value).map(([slug, role]) => [slug, roleOf(role)])) };
}

function roleOf(value: unknown): GroupRole {
  const role = GROUP_ROLES.find((each) => each === value);
  if (role === undefined) throw new TypeError('not a role');
  return role;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Accepts what `parseOidcGroups` could read. */
export function IsOidcGroups(): PropertyDecorator {
  return ValidateBy({
    name: 'isOidcGroups',
    validator: {
      validate: (value: unknown) => isRecord(value),
      defaultMessage: () => `must be JSON: group → "${PLATFORM_ADMIN}" or {team slug: ${GROUP_ROLES.join(' | ')}}`,
    },
  });
}
