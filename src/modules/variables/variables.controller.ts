import { Body, Controller, Delete, Get, Header, Headers, HttpCode, HttpStatus, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiNoContentResponse, ApiOkResponse, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Actor } from '../../auth/actor.js';
import { CurrentActor, RequireAbility } from '../../auth/auth.decorators.js';
import { DomainError } from '../../common/domain-error.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { etagOf } from '../../http/etag.js';
import { IdParam } from '../../http/id-param.js';
import { mapPage } from '../../http/pagination.js';
import {
  ExportedVariablesDto,
  ExportVariablesDto,
  ImportVariablesDto,
  RevealedVariableDto,
  RevealedVariablesDto,
  RevealVariablesDto,
  SetVariablesDto,
  VariableChangesDto,
  VariableDto,
  VariableHistoryQuery,
  VariablePageDto,
  VariableQuery,
  VariableScopeQuery,
  VariableVersionDto,
  VariableVersionPageDto,
} from './dto/variable.dto.js';
import { VariableChanges } from './variable-changes.js';
import { VariableReveals } from './variable-reveals.js';
import { scopeOf, VariablesService } from './variables.service.js';

const ETAG = {
  ETag: { description: "Revision of the project's variables, for If-Match", schema: { type: 'string' as const }, example: '"3"' },
};
const IF_MATCH = ApiHeader({
  name: 'If-Match',
  required: false,
  description: 'ETag of the list that this change was made from; 412 when somebody changed a variable since',
  example: '"3"',
});
const NAME = ApiParam({ name: 'name', example: 'API_KEY' });

/** Variables of projects and their components, plain and secret. */
@ApiTags('variables')
@Controller('projects/:projectId/variables')
export class VariablesController {
  constructor(
    private readonly variables: VariablesService,
    private readonly changes: VariableChanges,
    private readonly reveals: VariableReveals,
  ) {}

  @Get()
  @RequireAbility('read', 'Project')
  @Operation({
    id: 'listVariables',
    summary: 'List variables',
    description:
      'What is set for a project and its components; with `component` everything that it gets, and where from. Secrets are hidden.',
  })
  @ApiOkResponse({ type: VariablePageDto, description: 'All of them, in one page', headers: ETAG })
  @ApiProblem('invalid', 'not-found')
  async list(
    @CurrentActor() actor: Actor,
    @IdParam('projectId') projectId: string,
    @Query() query: VariableQuery,
    @Res({ passthrough: true }) response: Response,
  ): Promise<VariablePageDto> {
    const { items, revision } = await this.variables.list(actor, projectId, query.component);
    response.setHeader('ETag', etagOf(revision));
    return { items: items.map((item) => VariableDto.from(item)), nextCursor: null };
  }

  @Put()
  @RequireAbility('write-secrets', 'Project')
  @Operation({
    id: 'setVariables',
    summary: 'Set variables',
    description: 'Gives new values to variables, all or none. What runs is not touched: the values take effect with the next deploy.',
  })
  @IF_MATCH
  @ApiOkResponse({ type: VariableChangesDto, description: 'What changed', headers: ETAG })
  @ApiProblem('invalid', 'not-found', 'precondition', 'quota')
  async set(
    @CurrentActor() actor: Actor,
    @IdParam('projectId') projectId: string,
    @Body() body: SetVariablesDto,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<VariableChangesDto> {
    const result = await this.changes.apply(actor, projectId, {
      component: scopeOf(body.component),
      set: body.variables,
      remove: [],
      ifMatch,
    });
    response.setHeader('ETag', etagOf(result.revision));
    return VariableChangesDto.from(result);
  }

  @Delete(':name')
  @HttpCode(HttpStatus.NO_CONTENT)
  @RequireAbility('write-secrets', 'Project')
  @Operation({
    id: 'removeVariable',
    summary: 'Remove a variable',
    description: 'Takes effect with the next deploy. Its versions are kept: a rollback brings the value back.',
  })
  @NAME
  @IF_MATCH
  @ApiNoContentResponse({ description: 'It is removed', headers: ETAG })
  @ApiProblem('invalid', 'not-found', 'precondition')
  async remove(
    @CurrentActor() actor: Actor,
    @IdParam('projectId') projectId: string,
    @Param('name') name: string,
    @Query() query: VariableScopeQuery,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    const result = await this.changes.apply(actor, projectId, { component: scopeOf(query.component), set: [], remove: [name], ifMatch });
    response.setHeader('ETag', etagOf(result.revision));
  }

  @Get(':name/history')
  @RequireAbility('read', 'Project')
  @Operation({
    id: 'listVariableVersions',
    summary: 'List versions of a variable',
    description: 'Who set it and when, newest first. Secrets are hidden.',
  })
  @NAME
  @ApiOkResponse({ type: VariableVersionPageDto, description: 'One page of versions' })
  @ApiProblem('invalid', 'not-found')
  async history(
    @CurrentActor() actor: Actor,
    @IdParam('projectId') projectId: string,
    @Param('name') name: string,
    @Query() query: VariableHistoryQuery,
  ): Promise<VariableVersionPageDto> {
    return mapPage(await this.variables.history(actor, projectId, scopeOf(query.component), name, query), (entry) =>
      VariableVersionDto.from(entry),
    );
  }

  @Post('reveal')
  @HttpCode(HttpStatus.OK)
  @Header('Cache-Control', 'no-store')
  @RequireAbility('reveal-secrets', 'Project')
  @Operation({
    id: 'revealVariables',
    summary: 'Reveal secrets',
    description:
      'The texts of secrets, for those who may see them. Each use is in the audit log before a value leaves. Never for API tokens.',
  })
  @ApiOkResponse({ type: RevealedVariablesDto, description: 'The texts; not to be stored by caches' })
  @ApiProblem('invalid', 'not-found', 'unavailable')
  async reveal(
    @CurrentActor() actor: Actor,
    @IdParam('projectId') projectId: string,
    @Body() body: RevealVariablesDto,
    @Req() request: Request,
  ): Promise<RevealedVariablesDto> {
    assertJson(request);
    const items = await this.reveals.reveal(actor, projectId, scopeOf(body.component), body.names);
    return { items: items.map((item) => RevealedVariableDto.from(item)), nextCursor: null };
  }

  @Post('import')
  @HttpCode(HttpStatus.OK)
  @RequireAbility('write-secrets', 'Project')
  @Operation({
    id: 'importVariables',
    summary: 'Import a .env file',
    description: 'Sets what the file names, all or nothing; with `dryRun` it only says what would change.',
  })
  @IF_MATCH
  @ApiOkResponse({ type: VariableChangesDto, description: 'What changed, or would', headers: ETAG })
  @ApiProblem('invalid', 'not-found', 'precondition', 'quota')
  async import(
    @CurrentActor() actor: Actor,
    @IdParam('projectId') projectId: string,
    @Body() { component, ...body }: ImportVariablesDto,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<VariableChangesDto> {
    const result = await this.variables.import(actor, projectId, { ...body, component: scopeOf(component), ifMatch });
    response.setHeader('ETag', etagOf(result.revision));
    return VariableChangesDto.from(result);
  }

  @Post('export')
  @HttpCode(HttpStatus.OK)
  @Header('Cache-Control', 'no-store')
  @RequireAbility('reveal-secrets', 'Project')
  @Operation({
    id: 'exportVariables',
    summary: 'Export a .env file',
    description: 'What is set for the project or for one component, secrets in clear. Recorded like a reveal, and never for API tokens.',
  })
  @ApiOkResponse({ type: ExportedVariablesDto, description: 'The file; not to be stored by caches' })
  @ApiProblem('invalid', 'not-found', 'unavailable')
  export(
    @CurrentActor() actor: Actor,
    @IdParam('projectId') projectId: string,
    @Body() body: ExportVariablesDto,
    @Req() request: Request,
  ): Promise<ExportedVariablesDto> {
    assertJson(request);
    return this.reveals.export(actor, projectId, scopeOf(body.component));
  }
}

/** What shows secrets is asked for on purpose: no link, form or empty request does it. */
function assertJson(request: Request): void {
  if (request.is('application/json') !== false && request.is('application/json') !== null) return;
  throw new DomainError('invalid', 'BODY_NOT_JSON', 'This request needs a body of JSON.', {
    fix: 'Send {} with Content-Type: application/json.',
  });
}
