import type { Policy } from '../../auth/ability.js';
import { tablePolicy } from '../../auth/table-rules.js';

const byTable = tablePolicy('User');

/** Platform administrators manage users; everybody knows themselves. */
export const usersPolicy: Policy = (rules, principal) => {
  rules.can('read', 'User', { id: principal.userId });
  byTable(rules, principal);
};
