import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TeamsModule } from '../teams/teams.module.js';
import { ProjectDemand, QuotaDefaults, TeamQuota } from './quota.entities.js';
import { QuotaGuard } from './quota-guard.js';
import { QuotasController } from './quotas.controller.js';
import { QuotasService } from './quotas.service.js';

/** What teams may have. */
@Module({
  imports: [TypeOrmModule.forFeature([QuotaDefaults, TeamQuota, ProjectDemand]), TeamsModule],
  controllers: [QuotasController],
  providers: [QuotasService, QuotaGuard],
  exports: [QuotaGuard],
})
export class QuotasModule {}
