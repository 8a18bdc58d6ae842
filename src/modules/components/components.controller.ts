import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../auth/actor.js';
import { CurrentActor, RequireAbility } from '../../auth/auth.decorators.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { IdParam } from '../../http/id-param.js';
import { ComponentsService } from './components.service.js';
import { ProjectHealthDto, ProjectStatusDto } from './dto/component.dto.js';

/** How the components of a project are. */
@ApiTags('projects')
@Controller('projects/:projectId')
export class ComponentsController {
  constructor(private readonly components: ComponentsService) {}

  @Get('status')
  @RequireAbility('read', 'Project')
  @Operation({
    id: 'getProjectStatus',
    summary: 'Show what runs',
    description:
      'Every component with its version, state, health, process, addresses and restarts, and what the state of others means to it.',
  })
  @ApiOkResponse({ type: ProjectStatusDto, description: 'The project as it is now' })
  @ApiProblem('invalid', 'not-found')
  async status(@CurrentActor() actor: Actor, @IdParam('projectId') projectId: string): Promise<ProjectStatusDto> {
    return ProjectStatusDto.from(await this.components.ofProject(actor, projectId));
  }

  @Get('health')
  @RequireAbility('read', 'Project')
  @Operation({
    id: 'getProjectHealth',
    summary: 'Show whether a project is well',
    description: 'The health of each component, as its own test says. A stopped component makes the project not healthy.',
  })
  @ApiOkResponse({ type: ProjectHealthDto, description: 'The health of the project' })
  @ApiProblem('invalid', 'not-found')
  async health(@CurrentActor() actor: Actor, @IdParam('projectId') projectId: string): Promise<ProjectHealthDto> {
    return ProjectHealthDto.from(await this.components.ofProject(actor, projectId));
  }
}
