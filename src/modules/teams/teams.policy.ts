import type { Policy } from '../../auth/ability.js';
import { tablePolicy } from '../../auth/table-rules.js';

const byTable = tablePolicy('Team');

/** Everybody may found a team; what they may do in one is in the role table. */
export const teamsPolicy: Policy = (rules, principal) => {
  rules.can('create', 'Team');
  byTable(rules, principal);
};
