import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../auth/actor.js';
import { CurrentActor, RequireAbility } from '../../auth/auth.decorators.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { IdParam } from '../../http/id-param.js';
import { PageQuery, mapPage } from '../../http/pagination.js';
import { NodeDto, NodePageDto } from './dto/node.dto.js';
import { NodesService } from './nodes.service.js';

/** Machines with an agent. */
@ApiTags('nodes')
@Controller('nodes')
export class NodesController {
  constructor(private readonly nodes: NodesService) {}

  @Get()
  @RequireAbility('read', 'Node')
  @Operation({
    id: 'listNodes',
    summary: 'List nodes',
    description: 'Every node with whether its agent is connected and its isolation holds. Platform administrators only.',
  })
  @ApiOkResponse({ type: NodePageDto, description: 'One page of nodes, oldest first' })
  @ApiProblem('invalid')
  async list(@CurrentActor() actor: Actor, @Query() page: PageQuery): Promise<NodePageDto> {
    return mapPage(await this.nodes.list(actor, page), (node) => NodeDto.from(node));
  }

  @Get(':nodeId')
  @RequireAbility('read', 'Node')
  @Operation({ id: 'getNode', summary: 'Show a node', description: 'A node, its machine and its isolation. Platform administrators only.' })
  @ApiOkResponse({ type: NodeDto, description: 'The node' })
  @ApiProblem('invalid', 'not-found')
  async get(@CurrentActor() actor: Actor, @IdParam('nodeId') nodeId: string): Promise<NodeDto> {
    return NodeDto.from(await this.nodes.require(actor, nodeId));
  }
}
