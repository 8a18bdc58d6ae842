import { Readable } from 'node:stream';
import { Controller, Get, Param, Post, Req, StreamableFile, UnsupportedMediaTypeException } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiCreatedResponse, ApiOkResponse, ApiParam, ApiResponse, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { Request } from 'express';
import type { Actor } from '../../auth/actor.js';
import { CurrentActor, CurrentNode, NodeOnly, RequireAbility } from '../../auth/auth.decorators.js';
import type { NodeIdentity } from '../../auth/node-credential-verifier.js';
import { ApiProblem, Operation, ProblemDto } from '../../http/api.decorators.js';
import { IdParam } from '../../http/id-param.js';
import { SourceDto } from './dto/project.dto.js';
import { SourcesService } from './sources.service.js';

const PROBLEM = { 'application/problem+json': { schema: { $ref: getSchemaPath(ProblemDto) } } };
const BINARY = { 'application/gzip': { schema: { type: 'string' as const, format: 'binary' } } };

/** Uploaded code. */
@ApiTags('projects')
@Controller()
export class SourcesController {
  constructor(private readonly sources: SourcesService) {}

  @Post('teams/:teamId/sources')
  @RequireAbility('update', 'Project')
  @Operation({
    id: 'uploadSource',
    summary: 'Upload code',
    description:
      'Stores a gzip-compressed tar archive of at most 64 MiB for the team, named by its content: the same archive again changes nothing. Put the digest into `source` of a component.',
  })
  @ApiConsumes('application/gzip')
  @ApiBody({ description: 'The archive', schema: { type: 'string', format: 'binary' } })
  @ApiCreatedResponse({ type: SourceDto, description: 'The archive is stored' })
  @ApiResponse({ status: 413, description: 'The archive is larger than 64 MiB', content: PROBLEM })
  @ApiResponse({ status: 415, description: 'The body is not application/gzip', content: PROBLEM })
  @ApiProblem('invalid', 'not-found')
  async upload(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string, @Req() request: Request): Promise<SourceDto> {
    if (request.is('application/gzip') === false) throw new UnsupportedMediaTypeException('Send the archive as application/gzip.');
    const declared = Number(request.headers['content-length']);
    return this.sources.store(actor, teamId, request, Number.isNaN(declared) ? undefined : declared);
  }

  @Get('node/sources/:digest')
  @NodeOnly()
  @Operation({
    id: 'getNodeSource',
    summary: 'Download code to a node',
    description: 'An archive, for the agent of a node that runs a component made from it.',
  })
  @ApiParam({ name: 'digest', example: `sha256-${'0'.repeat(64)}` })
  @ApiOkResponse({ description: 'The archive', content: BINARY })
  @ApiProblem('not-found')
  async download(@CurrentNode() node: NodeIdentity, @Param('digest') digest: string): Promise<StreamableFile> {
    const { size, chunks } = await this.sources.forNode(node.nodeId, digest);
    return new StreamableFile(Readable.from(chunks, { objectMode: false }), { type: 'application/gzip', length: size });
  }
}
