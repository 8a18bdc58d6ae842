import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { NodesModule } from '../nodes/nodes.module.js';
import { PortsModule } from '../ports/ports.module.js';
import { QuotasModule } from '../quotas/quotas.module.js';
import { ProjectsModule } from '../projects/projects.module.js';
import { SecretsModule } from '../secrets/secrets.module.js';
import { TeamsModule } from '../teams/teams.module.js';
import { DeployPreparer } from './deploy-preparer.js';
import { DeploymentEvents } from './deployment-events.js';
import { Deployment, DeploymentEvent, Release } from './deployment.entity.js';
import { DeploymentsController } from './deployments.controller.js';
import { DeploymentsService } from './deployments.service.js';
import { NodeSurvey } from './node-survey.js';
import { Orchestrator } from './orchestrator.js';
import { OrchestratorDriver } from './orchestrator.driver.js';
import { PlansService } from './plans.service.js';

/** Releases, deployments and the orchestrator that moves them. */
@Module({
  imports: [
    TypeOrmModule.forFeature([Release, Deployment, DeploymentEvent]),
    TeamsModule,
    PortsModule,
    SecretsModule,
    NodesModule,
    ProjectsModule,
    QuotasModule,
  ],
  controllers: [DeploymentsController],
  providers: [DeploymentsService, PlansService, DeployPreparer, NodeSurvey, DeploymentEvents, Orchestrator, OrchestratorDriver],
  exports: [DeploymentsService],
})
export class DeploymentsModule {}
