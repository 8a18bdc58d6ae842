import { Module } from '@nestjs/common';
import { NodesModule } from '../nodes/nodes.module.js';
import { PortsModule } from '../ports/ports.module.js';
import { ProjectsModule } from '../projects/projects.module.js';
import { ComponentsController } from './components.controller.js';
import { ComponentsService } from './components.service.js';

/** How the components of projects are. */
@Module({
  imports: [ProjectsModule, NodesModule, PortsModule],
  controllers: [ComponentsController],
  providers: [ComponentsService],
  exports: [ComponentsService],
})
export class ComponentsModule {}
