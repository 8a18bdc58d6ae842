import { Module } from '@nestjs/common';
import { ProjectsModule } from '../projects/projects.module.js';
import { TeamsModule } from '../teams/teams.module.js';
import { GrantsController } from './grants.controller.js';
import { GrantsService } from './grants.service.js';

/** Roles on single projects. */
@Module({ imports: [ProjectsModule, TeamsModule], controllers: [GrantsController], providers: [GrantsService] })
export class GrantsModule {}
