import { Body, Controller, Delete, Get, HttpCode, Put, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../auth/actor.js';
import { CurrentActor, RequireAbility } from '../../auth/auth.decorators.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { IdParam } from '../../http/id-param.js';
import { PageQuery, mapPage } from '../../http/pagination.js';
import { ProjectGrantDto, GrantPageDto, ProtectionDto, PutGrantDto } from './dto/grant.dto.js';
import { GrantsService } from './grants.service.js';

/** Who has a role on a single project, and whether one is needed. */
@ApiTags('grants')
@Controller('projects/:projectId')
export class GrantsController {
  constructor(private readonly grants: GrantsService) {}

  @Get('grants')
  @RequireAbility('read', 'Project')
  @Operation({ id: 'listGrants', summary: 'List grants', description: 'Who has a role on this project beside their role in its team.' })
  @ApiOkResponse({ type: GrantPageDto, description: 'One page of grants, oldest first' })
  @ApiProblem('invalid', 'not-found')
  async list(@CurrentActor() actor: Actor, @IdParam('projectId') projectId: string, @Query() page: PageQuery): Promise<GrantPageDto> {
    return mapPage(await this.grants.list(actor, projectId, page), (grant) => ProjectGrantDto.from(grant));
  }

  @Put('grants')
  @RequireAbility('manage-members', 'Team')
  @Operation({
    id: 'putGrant',
    summary: 'Give a role on a project',
    description:
      'Gives a member or service account of the team a role on this project, or changes it. It adds to the role in the team. Nobody grants what they do not hold themselves.',
  })
  @ApiOkResponse({ type: ProjectGrantDto, description: 'The grant' })
  @ApiProblem('invalid', 'not-found')
  async put(@CurrentActor() actor: Actor, @IdParam('projectId') projectId: string, @Body() body: PutGrantDto): Promise<ProjectGrantDto> {
    return ProjectGrantDto.from(
      await this.grants.put(actor, projectId, { userId: body.userId, email: body.email }, { role: body.role, roleId: body.roleId }),
    );
  }

  @Delete('grants/:userId')
  @HttpCode(204)
  @RequireAbility('manage-members', 'Team')
  @Operation({
    id: 'removeGrant',
    summary: 'Revoke a grant',
    description: 'Takes the role on this project away; the role in the team stays.',
  })
  @ApiNoContentResponse({ description: 'The grant is gone' })
  @ApiProblem('invalid', 'not-found')
  async remove(@CurrentActor() actor: Actor, @IdParam('projectId') projectId: string, @IdParam('userId') userId: string): Promise<void> {
    await this.grants.remove(actor, projectId, userId);
  }

  @Put('protection')
  @RequireAbility('protect', 'Project')
  @Operation({
    id: 'setProtection',
    summary: 'Protect a project',
    description:
      'In a protected project developers need a grant to deploy, start, stop and apply, and a grant of more than their own role for secrets, terminals and restores.',
  })
  @ApiOkResponse({ type: ProtectionDto, description: 'Whether it is protected now' })
  @ApiProblem('invalid', 'not-found')
  async protect(
    @CurrentActor() actor: Actor,
    @IdParam('projectId') projectId: string,
    @Body() body: ProtectionDto,
  ): Promise<ProtectionDto> {
    return { protected: (await this.grants.protect(actor, projectId, body.protected)).protected };
  }
}
