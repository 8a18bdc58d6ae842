import { teamsWithRole } from '../../auth/actor.js';
import type { Policy } from '../../auth/ability.js';

/** Members see their team's projects; developers create and work with them; owners and admins delete them. */
export const projectsPolicy: Policy = (rules, principal) => {
  rules.can(['read', 'read-logs'], 'Project', { teamId: { $in: teamsWithRole(principal, 'viewer') } });
  rules.can(['create', 'update', 'deploy', 'operate'], 'Project', { teamId: { $in: teamsWithRole(principal, 'developer') } });
  rules.can('delete', 'Project', { teamId: { $in: teamsWithRole(principal, 'admin') } });
  if (principal.platformAdmin) rules.can('read', 'Project');
};
