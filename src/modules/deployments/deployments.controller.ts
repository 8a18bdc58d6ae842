import { Body, Controller, Delete, Get, HttpCode, Post, Query, Req, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiHeader, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Actor } from '../../auth/actor.js';
import { CurrentActor, RequireAbility } from '../../auth/auth.decorators.js';
import { DomainError } from '../../common/domain-error.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { EventStreams } from '../../http/event-streams.js';
import { IdParam } from '../../http/id-param.js';
import { Idempotent } from '../../http/idempotency.js';
import { PageQuery, mapPage } from '../../http/pagination.js';
import { ProjectSpecDto } from '../projects/dto/project.dto.js';
import { ProjectsService } from '../projects/projects.service.js';
import { DeploymentsService } from './deployments.service.js';
import { CreateDeploymentDto, DeleteProjectQuery, DeploymentDto, DeploymentPageDto } from './dto/deployment.dto.js';
import { PlanDto } from './dto/plan.dto.js';
import { PlansService } from './plans.service.js';

const EVENTS_EXAMPLE = 'id: 4\nevent: component\ndata: {"component":"web","step":"prepare","state":"running","message":"build"}\n\n';

/** Bringing projects to releases, and changing what runs. */
@ApiTags('deployments')
@Controller()
export class DeploymentsController {
  constructor(
    private readonly deployments: DeploymentsService,
    private readonly plans: PlansService,
    private readonly projects: ProjectsService,
    private readonly streams: EventStreams,
  ) {}

  @Post('teams/:teamId/plan')
  @HttpCode(200)
  @RequireAbility('update', 'Project')
  @Operation({
    id: 'planProject',
    summary: 'Plan a deployment',
    description:
      'Says what a deploy of this specification would do, which versions resolve and are installed, and whether network ports are free and who holds them. Faults are failed checks, each with its place and mend. Changes nothing.',
  })
  @ApiOkResponse({ type: PlanDto, description: 'The plan; `ok` is false when a check fails' })
  @ApiProblem('invalid', 'not-found')
  plan(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string, @Body() body: ProjectSpecDto): Promise<PlanDto> {
    return this.plans.plan(actor, teamId, body.spec);
  }

  @Post('projects/:projectId/deployments')
  @HttpCode(202)
  @RequireAbility('operate', 'Project')
  @Idempotent()
  @Operation({
    id: 'createDeployment',
    summary: 'Deploy, start, stop or restart',
    description:
      'Starts the work and answers at once; follow it by its events. Components that do not change are not touched; a failed deploy leaves what ran before running. One deployment of a project at a time.',
  })
  @ApiAcceptedResponse({ type: DeploymentDto, description: 'The deployment has begun' })
  @ApiProblem('invalid', 'not-found', 'conflict', 'quota', 'unavailable')
  async create(
    @CurrentActor() actor: Actor,
    @IdParam('projectId') projectId: string,
    @Body() body: CreateDeploymentDto,
  ): Promise<DeploymentDto> {
    return DeploymentDto.from(await this.deployments.start(actor, projectId, { kind: body.kind, components: body.components ?? [] }));
  }

  @Get('projects/:projectId/deployments')
  @RequireAbility('read', 'Project')
  @Operation({ id: 'listDeployments', summary: 'List deployments', description: 'What was done to a project, newest first.' })
  @ApiOkResponse({ type: DeploymentPageDto, description: 'One page of deployments' })
  @ApiProblem('invalid', 'not-found')
  async list(@CurrentActor() actor: Actor, @IdParam('projectId') projectId: string, @Query() page: PageQuery): Promise<DeploymentPageDto> {
    return mapPage(await this.deployments.list(actor, projectId, page), (deployment) => DeploymentDto.from(deployment));
  }

  @Delete('projects/:projectId')
  @HttpCode(202)
  @RequireAbility('delete', 'Project')
  @Operation({
    id: 'deleteProject',
    summary: 'Delete a project',
    description:
      'Stops and removes every component, then the project. Their data is set aside on the node unless `purge` is given. `confirm` must be the name of the project.',
  })
  @ApiAcceptedResponse({ type: DeploymentDto, description: 'The deletion has begun' })
  @ApiProblem('invalid', 'not-found', 'conflict')
  async remove(
    @CurrentActor() actor: Actor,
    @IdParam('projectId') projectId: string,
    @Query() query: DeleteProjectQuery,
  ): Promise<DeploymentDto> {
    const project = await this.projects.require(actor, projectId, 'delete');
    assertConfirmed(query.confirm, project.name);
    return DeploymentDto.from(
      await this.deployments.start(actor, projectId, { kind: 'delete', components: [], purge: query.purge ?? false }),
    );
  }

  @Get('deployments/:deploymentId')
  @RequireAbility('read', 'Project')
  @Operation({
    id: 'getDeployment',
    summary: 'Show a deployment',
    description: 'Its state, its steps, and why it failed if it did. It stays when its project is deleted.',
  })
  @ApiOkResponse({ type: DeploymentDto, description: 'The deployment' })
  @ApiProblem('invalid', 'not-found')
  async get(@CurrentActor() actor: Actor, @IdParam('deploymentId') deploymentId: string): Promise<DeploymentDto> {
    return DeploymentDto.from(await this.deployments.get(actor, deploymentId));
  }

  @Post('deployments/:deploymentId/cancel')
  @HttpCode(202)
  @RequireAbility('operate', 'Project')
  @Operation({
    id: 'cancelDeployment',
    summary: 'Cancel a deployment',
    description: 'Turns back what has been done so far; what ran before runs again. Not once the new release is live.',
  })
  @ApiAcceptedResponse({ type: DeploymentDto, description: 'The deployment turns back' })
  @ApiProblem('invalid', 'not-found', 'conflict')
  async cancel(@CurrentActor() actor: Actor, @IdParam('deploymentId') deploymentId: string): Promise<DeploymentDto> {
    return DeploymentDto.from(await this.deployments.cancel(actor, deploymentId));
  }

  @Get('deployments/:deploymentId/events')
  @RequireAbility('read', 'Project')
  @Operation({
    id: 'streamDeploymentEvents',
    summary: 'Follow a deployment',
    description:
      'Server-sent events, from the beginning or after `Last-Event-ID`: `state`, `component` (a step moved), `log` (what a step says) and, last, `end`. The stream ends with the deployment.',
  })
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'The last event that was seen', example: '3' })
  @ApiOkResponse({ description: 'The events', content: { 'text/event-stream': { schema: { type: 'string' }, example: EVENTS_EXAMPLE } } })
  @ApiProblem('invalid', 'not-found')
  async events(
    @CurrentActor() actor: Actor,
    @IdParam('deploymentId') deploymentId: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await this.streams.send(request, response, async ({ signal, lastEventId }) =>
      this.deployments.follow(actor, deploymentId, sequenceOf(lastEventId), signal),
    );
  }
}

function sequenceOf(lastEventId: string | undefined): number {
  if (lastEventId === undefined) return 0;
  if (/^\d{1,9}$/.test(lastEventId)) return Number(lastEventId);
  throw new DomainError('invalid', 'LAST_EVENT_ID_INVALID', 'Last-Event-ID is not one that this stream gave out.', {
    fix: 'Leave it out to begin at the beginning.',
  });
}

function assertConfirmed(confirm: string, name: string): void {
  if (confirm === name) return;
  throw new DomainError('invalid', 'CONFIRMATION_WRONG', 'The confirmation is not the name of the project; nothing was deleted.', {
    faults: [
      {
        path: 'confirm',
        code: 'CONFIRMATION_WRONG',
        message: 'must be the name of the project',
        fix: 'Repeat the request with the name of the project as `confirm`.',
      },
    ],
  });
}
