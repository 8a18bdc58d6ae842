import { teamsWithRole } from '../../auth/actor.js';
import type { Policy } from '../../auth/ability.js';

/** Everybody may found a team; members see theirs; owners and admins manage the members below them. */
export const teamsPolicy: Policy = (rules, principal) => {
  rules.can('create', 'Team');
  rules.can('read', 'Team', { id: { $in: teamsWithRole(principal, 'viewer') } });
  rules.can(['manage-members', 'update'], 'Team', { id: { $in: teamsWithRole(principal, 'admin') } });
  rules.can('delete', 'Team', { id: { $in: teamsWithRole(principal, 'owner') } });
  if (principal.platformAdmin) rules.can('read', 'Team');
};
