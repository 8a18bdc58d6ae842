import { tablePolicy } from './table-rules.js';

/** Settings of the installation are for its administrators. */
export const platformPolicy = tablePolicy('Platform');
