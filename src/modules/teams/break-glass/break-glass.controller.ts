import { Body, Controller, Delete, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../../auth/actor.js';
import { CurrentActor, RequireAbility } from '../../../auth/auth.decorators.js';
import { ApiProblem, Operation } from '../../../http/api.decorators.js';
import { IdParam } from '../../../http/id-param.js';
import { PageQuery, mapPage } from '../../../http/pagination.js';
import { BreakGlassCaseDto, BreakGlassDto, BreakGlassPageDto } from './break-glass.dto.js';
import { BreakGlassService } from './break-glass.service.js';

/** Emergency access of platform administrators. */
@ApiTags('teams')
@Controller('teams/:teamId/break-glass')
export class BreakGlassController {
  constructor(private readonly glass: BreakGlassService) {}

  @Post()
  @RequireAbility('break-glass', 'Team', { sessionOnly: true })
  @Operation({
    id: 'breakGlass',
    summary: 'Break the glass of a team',
    description:
      'Gives the platform administrator who asks the right to reveal secrets and to exec in the projects of this team, for at most an hour. Asks for a fresh proof (`POST /api/v1/me/reauthenticate`). The team sees it and every use of it in its audit log.',
  })
  @ApiCreatedResponse({ type: BreakGlassCaseDto, description: 'The case' })
  @ApiProblem('invalid', 'not-found')
  async break(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string, @Body() body: BreakGlassDto): Promise<BreakGlassCaseDto> {
    return BreakGlassCaseDto.from(await this.glass.break(actor, teamId, { reason: body.reason, minutes: body.minutes }));
  }

  @Get()
  @RequireAbility('read', 'Team', { sessionOnly: true })
  @Operation({
    id: 'listBreakGlass',
    summary: 'List cases of broken glass',
    description:
      'Who broke the glass of this team, when, why and for how long. For its owners and admins, and for platform administrators.',
  })
  @ApiOkResponse({ type: BreakGlassPageDto, description: 'One page of cases, newest first' })
  @ApiProblem('invalid', 'not-found')
  async list(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string, @Query() page: PageQuery): Promise<BreakGlassPageDto> {
    return mapPage(await this.glass.list(actor, teamId, page), (each) => BreakGlassCaseDto.from(each));
  }

  @Delete(':caseId')
  @HttpCode(204)
  @RequireAbility('read', 'Team', { sessionOnly: true })
  @Operation({
    id: 'endBreakGlass',
    summary: 'End emergency access',
    description: 'Ends it before its time. Owners of the team may, and platform administrators. One that is over stays as it is.',
  })
  @ApiNoContentResponse({ description: 'It gives no rights any more' })
  @ApiProblem('invalid', 'not-found')
  async end(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string, @IdParam('caseId') caseId: string): Promise<void> {
    await this.glass.end(actor, teamId, caseId);
  }
}
