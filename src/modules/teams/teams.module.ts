import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { FactorsApiModule } from '../../auth/factors/factors-api.module.js';
import { UserDirectoryModule } from '../users/user-directory.module.js';
import { BreakGlassController } from './break-glass/break-glass.controller.js';
import { BreakGlassService } from './break-glass/break-glass.service.js';
import { Departures } from './departures.js';
import { GroupMemberships } from './group-memberships.js';
import { ProjectGrants } from './grants/project-grants.js';
import { CustomRolesService } from './roles/custom-roles.service.js';
import { RolesController } from './roles/roles.controller.js';
import { TeamProjects } from './roles/team-projects.js';
import { Standings } from './standing.js';
import { TeamMembersService } from './team-members.service.js';
import { TeamOwnership } from './team-ownership.service.js';
import { BrokenGlass, CustomRole, ProjectGrantRow, Team, TeamMembership } from './team.entity.js';
import { TeamsController } from './teams.controller.js';
import { TeamsService } from './teams.service.js';

/** Teams, their members and their roles. */
@Module({
  imports: [
    TypeOrmModule.forFeature([Team, TeamMembership, CustomRole, ProjectGrantRow, BrokenGlass]),
    UserDirectoryModule,
    FactorsApiModule,
  ],
  controllers: [TeamsController, RolesController, BreakGlassController],
  providers: [
    BreakGlassService,
    CustomRolesService,
    Departures,
    GroupMemberships,
    ProjectGrants,
    Standings,
    TeamMembersService,
    TeamOwnership,
    TeamProjects,
    TeamsService,
  ],
  exports: [CustomRolesService, Departures, GroupMemberships, ProjectGrants, Standings, TeamMembersService, TeamsService],
})
export class TeamsModule {}
