import type { MigrationInterface } from 'typeorm';
import { Identity1795400000000 } from './1795400000000-identity.js';
import { Projects1795400100000 } from './1795400100000-projects.js';
import { ProtectedProjects1795410000000 } from './1795410000000-protected-projects.js';
import { RowLevelSecurity1795500000000 } from './1795500000000-row-level-security.js';
import { Accounts1795500200000 } from './1795500200000-accounts.js';
import { Audit1795500100000 } from './1795500100000-audit.js';
import { RolesAndGrants1795500400000 } from './1795500400000-roles-and-grants.js';
import { ApiTokens1795500500000 } from './1795500500000-api-tokens.js';
import { Vault1795500600000 } from './1795500600000-vault.js';
import { Variables1795500610000 } from './1795500610000-variables.js';
import { SecondFactors1795500300000 } from './1795500300000-second-factors.js';
import { Oidc1795500310000 } from './1795500310000-oidc.js';
import { QuotasAndUsage1795500700000 } from './1795500700000-quotas-and-usage.js';
import { StandingChanged1795500900000 } from './1795500900000-standing-changed.js';

/** All migrations, oldest first. Append only: one that was released never changes. */
export const migrations: readonly (new () => MigrationInterface)[] = [
  Identity1795400000000,
  Projects1795400100000,
  ProtectedProjects1795410000000,
  RowLevelSecurity1795500000000,
  Audit1795500100000,
  Accounts1795500200000,
  SecondFactors1795500300000,
  Oidc1795500310000,
  RolesAndGrants1795500400000,
  ApiTokens1795500500000,
  Vault1795500600000,
  Variables1795500610000,
  QuotasAndUsage1795500700000,
  StandingChanged1795500900000,
];
