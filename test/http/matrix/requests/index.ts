import type { RouteCases } from '../route-case.js';
import { ACCOUNT_ROUTES } from './accounts.js';
import { AUDIT_ROUTES } from './audit.js';
import { DEPLOYMENT_ROUTES } from './deployments.js';
import { LOGIN_ROUTES } from './factors.js';
import { GRANT_ROUTES } from './grants.js';
import { PLATFORM_ROUTES } from './platform.js';
import { PROJECT_ROUTES } from './projects.js';
import { QUOTA_ROUTES } from './quotas-and-usage.js';
import { TEAM_ROUTES } from './teams.js';
import { TOKEN_ROUTES } from './tokens.js';
import { VARIABLE_ROUTES } from './variables.js';

/** How the matrix calls each operation; one file for each area. */
export const ROUTES: RouteCases = {
  ...ACCOUNT_ROUTES,
  ...TEAM_ROUTES,
  ...GRANT_ROUTES,
  ...LOGIN_ROUTES,
  ...PLATFORM_ROUTES,
  ...PROJECT_ROUTES,
  ...DEPLOYMENT_ROUTES,
  ...QUOTA_ROUTES,
  ...TOKEN_ROUTES,
  ...VARIABLE_ROUTES,
  ...AUDIT_ROUTES,
};
