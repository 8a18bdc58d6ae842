import type { Policy } from '../../auth/ability.js';

/** Platform administrators manage users; everybody knows themselves. */
export const usersPolicy: Policy = (rules, principal) => {
  rules.can('read', 'User', { id: principal.userId });
  if (principal.platformAdmin) rules.can(['read', 'create', 'update', 'delete'], 'User');
};
