import type { RouteCases } from '../route-case.js';
import { DEPLOYMENT_ROUTES } from './deployments.js';
import { GRANT_ROUTES } from './grants.js';
import { PLATFORM_ROUTES } from './platform.js';
import { PROJECT_ROUTES } from './projects.js';
import { QUOTA_ROUTES } from './quotas-and-usage.js';
import { TEAM_ROUTES } from './teams.js';
import { VARIABLE_ROUTES } from './variables.js';

/** How the matrix calls each operation; one file for each area. */
export const ROUTES: RouteCases = {
  ...TEAM_ROUTES,
  ...GRANT_ROUTES,
  ...PLATFORM_ROUTES,
  ...PROJECT_ROUTES,
  ...DEPLOYMENT_ROUTES,
  ...QUOTA_ROUTES,
  ...VARIABLE_ROUTES,
};
