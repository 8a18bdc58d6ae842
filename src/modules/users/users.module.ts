import { Module } from '@nestjs/common';
import { TeamsModule } from '../teams/teams.module.js';
import { UserDirectoryModule } from './user-directory.module.js';
import { UserAdministration } from './user-administration.service.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';

/** Accounts. */
@Module({
  imports: [UserDirectoryModule, TeamsModule],
  controllers: [UsersController],
  providers: [UserAdministration, UsersService],
  exports: [UserAdministration, UsersService],
})
export class UsersModule {}
