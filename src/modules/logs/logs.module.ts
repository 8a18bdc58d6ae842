import { Module } from '@nestjs/common';
import { NodesModule } from '../nodes/nodes.module.js';
import { ProjectsModule } from '../projects/projects.module.js';
import { LogsController } from './logs.controller.js';
import { LogsService } from './logs.service.js';

/** The output of components. */
@Module({ imports: [ProjectsModule, NodesModule], controllers: [LogsController], providers: [LogsService] })
export class LogsModule {}
