import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { NodesModule } from '../nodes/nodes.module.js';
import { PortsModule } from '../ports/ports.module.js';
import { QuotasModule } from '../quotas/quotas.module.js';
import { SecretsModule } from '../secrets/secrets.module.js';
import { TeamsModule } from '../teams/teams.module.js';
import { Project } from './project.entity.js';
import { ProjectsController } from './projects.controller.js';
import { ProjectViews } from './project-views.js';
import { ProjectsService } from './projects.service.js';
import { Source } from './source.entity.js';
import { SourcesController } from './sources.controller.js';
import { SourcesService } from './sources.service.js';
import { SpecChecker } from './spec-checker.js';

/** Projects, their specifications and their uploaded code. */
@Module({
  imports: [TypeOrmModule.forFeature([Project, Source]), TeamsModule, PortsModule, SecretsModule, NodesModule, QuotasModule],
  controllers: [ProjectsController, SourcesController],
  providers: [ProjectsService, ProjectViews, SourcesService, SpecChecker],
  exports: [ProjectsService, SpecChecker],
})
export class ProjectsModule {}
