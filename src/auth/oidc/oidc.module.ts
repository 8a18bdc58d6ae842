import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { InvitationsModule } from '../../modules/invitations/invitations.module.js';
import { TeamsModule } from '../../modules/teams/teams.module.js';
import { UserDirectoryModule } from '../../modules/users/user-directory.module.js';
import { UsersModule } from '../../modules/users/users.module.js';
import { FactorsApiModule } from '../factors/factors-api.module.js';
import { FactorsModule } from '../factors/factors.module.js';
import { GroupRoles } from './group-roles.js';
import { Identities } from './identities.js';
import { IdentitiesController } from './identities.controller.js';
import { OidcAccounts } from './oidc-accounts.js';
import { OidcController } from './oidc.controller.js';
import { GroupRole, Identity, OidcAuthorization, OidcResult } from './oidc.entities.js';
import { OidcFlow } from './oidc-flow.js';
import { OidcJobs } from './oidc.jobs.js';
import { OidcLogin } from './oidc-login.js';
import { OidcProvider } from './oidc-provider.js';

/** Log-in with the operator's OIDC provider, and the identities of users there. */
@Module({
  imports: [
    TypeOrmModule.forFeature([Identity, GroupRole, OidcAuthorization, OidcResult]),
    FactorsModule,
    FactorsApiModule,
    TeamsModule,
    UserDirectoryModule,
    UsersModule,
    InvitationsModule,
  ],
  controllers: [OidcController, IdentitiesController],
  providers: [OidcProvider, OidcFlow, OidcLogin, OidcAccounts, Identities, GroupRoles, OidcJobs],
})
export class OidcModule {}
