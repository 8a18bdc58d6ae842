import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { NodeCredentialVerifier } from '../../auth/node-credential-verifier.js';
import { LocalNodeRegistrar } from '../../bootstrap/local-node-registrar.js';
import { NodeHealth } from '../health/node-health.js';
import { SecretsModule } from '../secrets/secrets.module.js';
import { AgentsHealth } from './agents-health.js';
import { Allocation } from './allocation.entity.js';
import { AllocationsService } from './allocations.service.js';
import { LeasesService } from './leases.service.js';
import { LocalNode } from './local-node.js';
import { NodeCredentials } from './node-credentials.js';
import { Node, PortLease } from './node.entity.js';
import { NodeLinks } from './node-links.js';
import { NodesController } from './nodes.controller.js';
import { NodesService } from './nodes.service.js';
import { NodeTask } from './task.entity.js';
import { TasksService } from './tasks.service.js';

/** Nodes, what they shall run, what they say, and their network ports. */
@Module({
  imports: [TypeOrmModule.forFeature([Node, PortLease, Allocation, NodeTask]), SecretsModule],
  controllers: [NodesController],
  providers: [
    NodesService,
    AllocationsService,
    LeasesService,
    TasksService,
    NodeLinks,
    { provide: NodeCredentialVerifier, useClass: NodeCredentials },
    { provide: NodeHealth, useClass: AgentsHealth },
    { provide: LocalNodeRegistrar, useClass: LocalNode },
  ],
  exports: [NodesService, AllocationsService, LeasesService, TasksService, NodeLinks, NodeCredentialVerifier],
})
export class NodesModule {}
