import { Module } from '@nestjs/common';
import { ProjectsModule } from '../projects/projects.module.js';
import { TeamsModule } from '../teams/teams.module.js';
import { ScopeResolver } from './scope-resolver.js';
import { TokensController } from './tokens.controller.js';
import { TokensJobs } from './tokens.jobs.js';
import { TokensService } from './tokens.service.js';

/** API tokens. */
@Module({
  imports: [TeamsModule, ProjectsModule],
  controllers: [TokensController],
  providers: [ScopeResolver, TokensJobs, TokensService],
  exports: [TokensService],
})
export class TokensModule {}
