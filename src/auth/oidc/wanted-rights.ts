import type { OidcGroups } from '../../config/oidc-groups.js';
import { type TeamRole, isAtLeast } from '../actor.js';

export interface WantedRights {
  platformAdmin: boolean;
  /** Role by slug of the team: the strongest that a group gives. */
  teams: Map<string, TeamRole>;
}

/** What somebody in these groups shall have. */
export function wantedRights(mapping: OidcGroups, groups: readonly string[]): WantedRights {
  const wanted: WantedRights = { platformAdmin: false, teams: new Map() };
  for (const group of new Set(groups)) {
    // Groups are the provider's text: nothing inherited may be found by them.
    const rights = Object.hasOwn(mapping, group) ? mapping[group] : undefined;
    if (rights === undefined) continue;
    wanted.platformAdmin ||= rights.platformAdmin;
    for (const [slug, role] of Object.entries(rights.teams)) {
      const present = wanted.teams.get(slug);
      if (present === undefined || isStronger(role, present)) wanted.teams.set(slug, role);
    }
  }
  return wanted;
}

/** An auditor ranks with a viewer, but sees less of the projects. */
function isStronger(role: TeamRole, than: TeamRole): boolean {
  return role !== than && isAtLeast(role, than) && !(role === 'auditor' && than === 'viewer');
}
