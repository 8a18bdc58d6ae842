import { Body, Controller, Delete, Get, Header, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../auth/actor.js';
import { CurrentActor, RequireAbility } from '../../auth/auth.decorators.js';
import { Config } from '../../config/config.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { IdParam } from '../../http/id-param.js';
import { PageQuery, mapPage } from '../../http/pagination.js';
import { CreateHookDto, HookDeliveryDto, HookDeliveryPageDto, HookDto, HookPageDto, SecretHookDto, UpdateHookDto } from './dto/hook.dto.js';
import { HooksService } from './hooks.service.js';

/** Deploy hooks of projects. A hook outlives the log-in that made it, so no API token may make or change one. */
@ApiTags('hooks')
@Controller('projects/:projectId/hooks')
export class HooksController {
  constructor(
    private readonly hooks: HooksService,
    private readonly config: Config,
  ) {}

  @Post()
  @Header('Cache-Control', 'no-store')
  @RequireAbility('deploy', 'Project', { sessionOnly: true })
  @Operation({
    id: 'createHook',
    summary: 'Create a deploy hook',
    description:
      'An address that deploys or restarts the project for whoever signs with its secret (Standard Webhooks). The secret is shown once. The hook acts with your right of each moment.',
  })
  @ApiCreatedResponse({ type: SecretHookDto, description: 'The hook and its secret' })
  @ApiProblem('invalid', 'not-found', 'conflict', 'quota')
  async create(@CurrentActor() actor: Actor, @IdParam('projectId') projectId: string, @Body() body: CreateHookDto): Promise<SecretHookDto> {
    return SecretHookDto.of(await this.hooks.create(actor, projectId, { name: body.name, kind: body.kind }), this.config.publicUrl);
  }

  @Get()
  @RequireAbility('read', 'Project')
  @Operation({ id: 'listHooks', summary: 'List deploy hooks', description: 'The hooks of a project, without their secrets.' })
  @ApiOkResponse({ type: HookPageDto, description: 'One page of hooks, oldest first' })
  @ApiProblem('invalid', 'not-found')
  async list(@CurrentActor() actor: Actor, @IdParam('projectId') projectId: string, @Query() page: PageQuery): Promise<HookPageDto> {
    return mapPage(await this.hooks.list(actor, projectId, page), (hook) => HookDto.from(hook, this.config.publicUrl));
  }

  @Patch(':hookId')
  @RequireAbility('deploy', 'Project', { sessionOnly: true })
  @Operation({ id: 'updateHook', summary: 'Switch a deploy hook off or on', description: 'A hook that is off refuses every delivery.' })
  @ApiOkResponse({ type: HookDto, description: 'The hook' })
  @ApiProblem('invalid', 'not-found')
  async update(
    @CurrentActor() actor: Actor,
    @IdParam('projectId') projectId: string,
    @IdParam('hookId') hookId: string,
    @Body() body: UpdateHookDto,
  ): Promise<HookDto> {
    return HookDto.from(await this.hooks.setEnabled(actor, projectId, hookId, body.enabled), this.config.publicUrl);
  }

  @Post(':hookId/secret')
  @Header('Cache-Control', 'no-store')
  @RequireAbility('deploy', 'Project', { sessionOnly: true })
  @Operation({
    id: 'rotateHookSecret',
    summary: 'Replace the secret of a deploy hook',
    description: 'The old secret ends at once. From now on the hook acts with the right of whoever calls this.',
  })
  @ApiCreatedResponse({ type: SecretHookDto, description: 'The hook and its new secret' })
  @ApiProblem('invalid', 'not-found')
  async rotate(
    @CurrentActor() actor: Actor,
    @IdParam('projectId') projectId: string,
    @IdParam('hookId') hookId: string,
  ): Promise<SecretHookDto> {
    return SecretHookDto.of(await this.hooks.rotate(actor, projectId, hookId), this.config.publicUrl);
  }

  @Delete(':hookId')
  @HttpCode(204)
  @RequireAbility('deploy', 'Project', { sessionOnly: true })
  @Operation({ id: 'deleteHook', summary: 'Delete a deploy hook', description: 'Its address answers like one that never was.' })
  @ApiNoContentResponse({ description: 'The hook is gone' })
  @ApiProblem('invalid', 'not-found')
  async remove(@CurrentActor() actor: Actor, @IdParam('projectId') projectId: string, @IdParam('hookId') hookId: string): Promise<void> {
    await this.hooks.remove(actor, projectId, hookId);
  }

  @Get(':hookId/deliveries')
  @RequireAbility('read', 'Project')
  @Operation({
    id: 'listHookDeliveries',
    summary: 'List what came in at a deploy hook',
    description: 'Deliveries of the last 30 days and what became of each. Of those that proved nothing, at most ten a minute are kept.',
  })
  @ApiOkResponse({ type: HookDeliveryPageDto, description: 'One page of deliveries, newest first' })
  @ApiProblem('invalid', 'not-found')
  async deliveries(
    @CurrentActor() actor: Actor,
    @IdParam('projectId') projectId: string,
    @IdParam('hookId') hookId: string,
    @Query() page: PageQuery,
  ): Promise<HookDeliveryPageDto> {
    return mapPage(await this.hooks.listDeliveries(actor, projectId, hookId, page), (delivery) => HookDeliveryDto.from(delivery));
  }
}
