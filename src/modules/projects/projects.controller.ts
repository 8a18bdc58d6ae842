import { Body, Controller, Get, Headers, HttpStatus, Param, Put, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiCreatedResponse, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import type { Actor } from '../../auth/actor.js';
import { CurrentActor, Public, RequireAbility } from '../../auth/auth.decorators.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { etagOf } from '../../http/etag.js';
import { IdParam } from '../../http/id-param.js';
import { mapPage } from '../../http/pagination.js';
import { projectJsonSchema } from './domain/project-spec.js';
import { ProjectDto, ProjectPageDto, ProjectQuery, ProjectSpecDto } from './dto/project.dto.js';
import { ProjectsService } from './projects.service.js';

const ETAG = { ETag: { description: 'Version of the specification, for If-Match', schema: { type: 'string' as const }, example: '"3"' } };

/** Projects and their specifications. */
@ApiTags('projects')
@Controller()
export class ProjectsController {
  constructor(private readonly projects: ProjectsService) {}

  @Put('teams/:teamId/projects/:name')
  @RequireAbility('update', 'Project')
  @Operation({
    id: 'applyProject',
    summary: 'Create or change a project',
    description:
      'Stores the specification; it deploys nothing. Every fault is named with its place and mend, and then nothing is created or touched. Applying the same again changes nothing.',
  })
  @ApiParam({ name: 'name', example: 'guestbook', description: 'The same as `name` in the specification' })
  @ApiHeader({
    name: 'If-Match',
    required: false,
    description: 'ETag of the version that this change was made from; 412 when there is a newer one',
    example: '"3"',
  })
  @ApiOkResponse({ type: ProjectDto, description: 'The project that was there', headers: ETAG })
  @ApiCreatedResponse({ type: ProjectDto, description: 'The project that was created', headers: ETAG })
  @ApiProblem('invalid', 'not-found', 'conflict', 'precondition')
  async apply(
    @CurrentActor() actor: Actor,
    @IdParam('teamId') teamId: string,
    @Param('name') name: string,
    @Body() body: ProjectSpecDto,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ProjectDto> {
    const { created, ...view } = await this.projects.apply(actor, teamId, name, body.spec, ifMatch);
    response.status(created ? HttpStatus.CREATED : HttpStatus.OK).setHeader('ETag', etagOf(view.project.specVersion));
    return ProjectDto.from(view);
  }

  @Get('projects')
  @RequireAbility('read', 'Project')
  @Operation({ id: 'listProjects', summary: 'List projects', description: 'The projects of all teams that the caller belongs to.' })
  @ApiOkResponse({ type: ProjectPageDto, description: 'One page of projects, oldest first' })
  @ApiProblem('invalid')
  async list(@CurrentActor() actor: Actor, @Query() query: ProjectQuery): Promise<ProjectPageDto> {
    return mapPage(await this.projects.list(actor, query, query), (view) => ProjectDto.from(view));
  }

  @Get('projects/:projectId')
  @RequireAbility('read', 'Project')
  @Operation({
    id: 'getProject',
    summary: 'Show a project',
    description: 'A project, its specification with secrets hidden, and how it is.',
  })
  @ApiOkResponse({ type: ProjectDto, description: 'The project', headers: ETAG })
  @ApiProblem('invalid', 'not-found')
  async get(
    @CurrentActor() actor: Actor,
    @IdParam('projectId') projectId: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ProjectDto> {
    const view = await this.projects.get(actor, projectId);
    response.setHeader('ETag', etagOf(view.project.specVersion));
    return ProjectDto.from(view);
  }

  @Get('schemas/project')
  @Public()
  @Operation({
    id: 'getProjectSchema',
    summary: 'JSON Schema of hithe.yaml',
    description: 'JSON Schema 2020-12 of a project file, for editors.',
  })
  @ApiOkResponse({
    description: 'The schema',
    content: {
      'application/json': {
        schema: { type: 'object', additionalProperties: true },
        example: { type: 'object', required: ['name', 'components'] },
      },
    },
  })
  schema(): Record<string, unknown> {
    return projectJsonSchema();
  }
}
