import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DeploymentsModule } from '../deployments/deployments.module.js';
import { ProjectsModule } from '../projects/projects.module.js';
import { DeployHook, HookDelivery } from './hook.entities.js';
import { HookJournal } from './hook-journal.js';
import { HookReceiver } from './hook-receiver.js';
import { HookReceiverController } from './hook-receiver.controller.js';
import { HooksController } from './hooks.controller.js';
import { HooksJobs } from './hooks.jobs.js';
import { HooksService } from './hooks.service.js';

/** Signed deploy hooks. */
@Module({
  imports: [TypeOrmModule.forFeature([DeployHook, HookDelivery]), ProjectsModule, DeploymentsModule],
  controllers: [HooksController, HookReceiverController],
  providers: [HooksService, HookJournal, HookReceiver, HooksJobs],
})
export class HooksModule {}
