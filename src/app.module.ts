import { type DynamicModule, Module } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { AuthModule } from './auth/auth.module.js';
import { FactorsApiModule } from './auth/factors/factors-api.module.js';
import { OidcModule } from './auth/oidc/oidc.module.js';
import { platformPolicy } from './auth/platform.policy.js';
import { ConfigModule } from './config/config.module.js';
import type { Config } from './config/config.js';
import { DatabaseModule } from './database/database.module.js';
import { HttpModule } from './http/http.module.js';
import { loggingOptions } from './http/logging.js';
import { LinkModule } from './link/link.module.js';
import { MailModule } from './mail/mail.module.js';
import { AccountsModule } from './modules/accounts/accounts.module.js';
import { AuditModule } from './modules/audit/audit.module.js';
import { AuditLogModule } from './modules/audit/audit-log.module.js';
import { auditPolicy } from './modules/audit/audit.policy.js';
import { ComponentsModule } from './modules/components/components.module.js';
import { DeploymentsModule } from './modules/deployments/deployments.module.js';
import { GrantsModule } from './modules/grants/grants.module.js';
import { HealthModule } from './modules/health/health.module.js';
import { InvitationsModule } from './modules/invitations/invitations.module.js';
import { HooksModule } from './modules/hooks/hooks.module.js';
import { LogsModule } from './modules/logs/logs.module.js';
import { NodesModule } from './modules/nodes/nodes.module.js';
import { nodesPolicy } from './modules/nodes/nodes.policy.js';
import { PlatformKeysModule } from './modules/platform-keys/platform-keys.module.js';
import { PortsModule } from './modules/ports/ports.module.js';
import { portsPolicy } from './modules/ports/ports.policy.js';
import { ProjectsModule } from './modules/projects/projects.module.js';
import { projectsPolicy } from './modules/projects/projects.policy.js';
import { QuotasModule } from './modules/quotas/quotas.module.js';
import { SecretsModule } from './modules/secrets/secrets.module.js';
import { ServiceAccountsModule } from './modules/service-accounts/service-accounts.module.js';
import { TeamsModule } from './modules/teams/teams.module.js';
import { teamsPolicy } from './modules/teams/teams.policy.js';
import { UsageModule } from './modules/usage/usage.module.js';
import { TokensModule } from './modules/tokens/tokens.module.js';
import { UsersModule } from './modules/users/users.module.js';
import { usersPolicy } from './modules/users/users.policy.js';
import { VariablesModule } from './modules/variables/variables.module.js';
import { QueueModule } from './queue/queue.module.js';
import { VaultModule } from './vault/vault.module.js';

/** The policy of every module: what is not named here allows nothing. */
const POLICIES = [platformPolicy, usersPolicy, teamsPolicy, portsPolicy, nodesPolicy, projectsPolicy, auditPolicy];

/** Modules of the product, in the order of their dependencies. */
const MODULES = [
  UsersModule,
  TeamsModule,
  AccountsModule,
  InvitationsModule,
  FactorsApiModule,
  OidcModule,
  QuotasModule,
  UsageModule,
  PortsModule,
  SecretsModule,
  NodesModule,
  ProjectsModule,
  GrantsModule,
  TokensModule,
  ServiceAccountsModule,
  ComponentsModule,
  VariablesModule,
  PlatformKeysModule,
  DeploymentsModule,
  HooksModule,
  LogsModule,
  LinkModule,
  AuditModule,
  HealthModule,
];

/** The whole control plane. */
@Module({})
export class AppModule {
  static with(config: Config): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.with(config),
        LoggerModule.forRoot(loggingOptions(config)),
        DatabaseModule.forRoot({ connect: true }),
        VaultModule,
        AuditLogModule,
        QueueModule,
        MailModule,
        HttpModule,
        AuthModule.with(POLICIES),
        ...MODULES,
      ],
    };
  }
}
