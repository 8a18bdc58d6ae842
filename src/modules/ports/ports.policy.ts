import type { Policy } from '../../auth/ability.js';

/** The catalogue is open to everybody who is logged in. */
export const portsPolicy: Policy = (rules) => {
  rules.can('read', 'Port');
};
