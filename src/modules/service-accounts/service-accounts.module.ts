import { Module } from '@nestjs/common';
import { TeamsModule } from '../teams/teams.module.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { UserDirectoryModule } from '../users/user-directory.module.js';
import { ServiceAccountsController } from './service-accounts.controller.js';
import { ServiceAccountsService } from './service-accounts.service.js';

/** Users that are no people. */
@Module({
  imports: [UserDirectoryModule, TeamsModule, TokensModule],
  controllers: [ServiceAccountsController],
  providers: [ServiceAccountsService],
})
export class ServiceAccountsModule {}
