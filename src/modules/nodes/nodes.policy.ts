import type { Policy } from '../../auth/ability.js';

/** Nodes are the platform's: its administrators see and manage them. */
export const nodesPolicy: Policy = (rules, principal) => {
  if (principal.platformAdmin) rules.can(['read', 'create', 'update', 'delete'], 'Node');
};
