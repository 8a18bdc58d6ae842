import { tablePolicy } from '../../auth/table-rules.js';

/** Who may do what with projects: the role table, custom roles, and grants on single projects. */
export const projectsPolicy = tablePolicy('Project');
