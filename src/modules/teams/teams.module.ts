import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { UserDirectoryModule } from '../users/user-directory.module.js';
import { GroupMemberships } from './group-memberships.js';
import { TeamMembersService } from './team-members.service.js';
import { Team, TeamMembership } from './team.entity.js';
import { TeamsController } from './teams.controller.js';
import { TeamsService } from './teams.service.js';

/** Teams. */
@Module({
  imports: [TypeOrmModule.forFeature([Team, TeamMembership]), UserDirectoryModule],
  controllers: [TeamsController],
  providers: [GroupMemberships, TeamsService, TeamMembersService],
  exports: [GroupMemberships, TeamsService],
})
export class TeamsModule {}
