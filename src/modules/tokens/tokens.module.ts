import { Module } from '@nestjs/common';
import { FactorsApiModule } from '../../auth/factors/factors-api.module.js';
import { ProjectsModule } from '../projects/projects.module.js';
import { TeamsModule } from '../teams/teams.module.js';
import { ScopeResolver } from './scope-resolver.js';
import { TokensController } from './tokens.controller.js';
import { TokensJobs } from './tokens.jobs.js';
import { TokensService } from './tokens.service.js';

/** API tokens. */
@Module({
  imports: [TeamsModule, ProjectsModule, FactorsApiModule],
  controllers: [TokensController],
  providers: [ScopeResolver, TokensJobs, TokensService],
  exports: [TokensService],
})
export class TokensModule {}
