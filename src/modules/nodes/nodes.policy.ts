import { tablePolicy } from '../../auth/table-rules.js';

/** Nodes are the platform's: its administrators see and manage them. */
export const nodesPolicy = tablePolicy('Node');
