import { Body, Controller, Get, Put } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../auth/actor.js';
import { CurrentActor, RequireAbility } from '../../auth/auth.decorators.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { IdParam } from '../../http/id-param.js';
import { QuotaLimitsDto, TeamQuotaDto } from './dto/quota.dto.js';
import { QuotasService } from './quotas.service.js';

/** Quotas of teams, and the platform's defaults. */
@ApiTags('quotas')
@Controller()
export class QuotasController {
  constructor(private readonly quotas: QuotasService) {}

  @Get('teams/:teamId/quota')
  @RequireAbility('read', 'Team')
  @Operation({
    id: 'getTeamQuota',
    summary: "Show a team's quota",
    description: 'Every resource with its limit, what is used and what the applied specifications ask for.',
  })
  @ApiOkResponse({ type: TeamQuotaDto, description: 'The quota' })
  @ApiProblem('invalid', 'not-found')
  async get(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string): Promise<TeamQuotaDto> {
    const { lines, own } = await this.quotas.ofTeam(actor, teamId);
    return { teamId, resources: lines, own };
  }

  @Put('teams/:teamId/quota')
  @RequireAbility('manage-quota', 'Team')
  @Operation({
    id: 'setTeamQuota',
    summary: "Replace a team's own limits",
    description:
      'What is absent is left to the platform. A lower limit stops nothing that runs; it stops growth. Platform administrators only.',
  })
  @ApiOkResponse({ type: TeamQuotaDto, description: 'The quota as it is now' })
  @ApiProblem('invalid', 'not-found')
  async set(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string, @Body() body: QuotaLimitsDto): Promise<TeamQuotaDto> {
    await this.quotas.setOfTeam(actor, teamId, QuotaLimitsDto.limitsOf(body));
    return this.get(actor, teamId);
  }

  @Get('platform/quota-defaults')
  @RequireAbility('manage', 'Platform')
  @Operation({
    id: 'getQuotaDefaults',
    summary: 'Show the limits of teams that have none of their own',
    description: 'The defaults of the platform; an absent resource has no limit. Platform administrators only.',
  })
  @ApiOkResponse({ type: QuotaLimitsDto, description: 'The defaults' })
  defaults(): Promise<QuotaLimitsDto> {
    return this.quotas.defaults();
  }

  @Put('platform/quota-defaults')
  @RequireAbility('manage', 'Platform')
  @Operation({
    id: 'setQuotaDefaults',
    summary: 'Replace the limits of teams that have none of their own',
    description: 'An absent resource has no limit. Platform administrators only.',
  })
  @ApiOkResponse({ type: QuotaLimitsDto, description: 'The defaults as they are now' })
  @ApiProblem('invalid')
  async setDefaults(@Body() body: QuotaLimitsDto): Promise<QuotaLimitsDto> {
    await this.quotas.setDefaults(QuotaLimitsDto.limitsOf(body));
    return this.quotas.defaults();
  }
}
