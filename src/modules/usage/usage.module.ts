import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TeamsModule } from '../teams/teams.module.js';
import { ComponentStorage, UsageDay, UsageStream } from './usage.entities.js';
import { UsageController } from './usage.controller.js';
import { UsageReports } from './usage-reports.js';
import { UsageService } from './usage.service.js';

/** What teams have used. */
@Module({
  imports: [TypeOrmModule.forFeature([UsageDay, UsageStream, ComponentStorage]), TeamsModule],
  controllers: [UsageController],
  providers: [UsageReports, UsageService],
  exports: [UsageReports],
})
export class UsageModule {}
