import { Body, Controller, Delete, Get, Header, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../auth/actor.js';
import { CurrentActor, RequireAbility } from '../../auth/auth.decorators.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { IdParam } from '../../http/id-param.js';
import { PageQuery, mapPage } from '../../http/pagination.js';
import { CreateServiceTokenDto, CreatedTokenDto, TokenDto, TokenPageDto } from '../tokens/dto/token.dto.js';
import { CreateServiceAccountDto, ServiceAccountDto, ServiceAccountPageDto, UpdateServiceAccountDto } from './dto/service-account.dto.js';
import { ServiceAccountsService } from './service-accounts.service.js';

/** Service accounts of teams, and their tokens. */
@ApiTags('service accounts')
@Controller('teams/:teamId/service-accounts')
export class ServiceAccountsController {
  constructor(private readonly accounts: ServiceAccountsService) {}

  @Post()
  @RequireAbility('manage-tokens', 'Team')
  @Operation({
    id: 'createServiceAccount',
    summary: 'Create a service account',
    description:
      'A user that is no person: it has a role in this team, cannot log in, and acts with API tokens alone. Its role is below your own.',
  })
  @ApiCreatedResponse({ type: ServiceAccountDto, description: 'The service account' })
  @ApiProblem('invalid', 'not-found', 'conflict', 'quota')
  async create(
    @CurrentActor() actor: Actor,
    @IdParam('teamId') teamId: string,
    @Body() body: CreateServiceAccountDto,
  ): Promise<ServiceAccountDto> {
    const { name, role, roleId } = body;
    return ServiceAccountDto.from(await this.accounts.create(actor, teamId, name, { role, roleId }));
  }

  @Get()
  @RequireAbility('read', 'Team')
  @Operation({
    id: 'listServiceAccounts',
    summary: 'List service accounts',
    description: 'Everybody in the team sees them, as they see its members.',
  })
  @ApiOkResponse({ type: ServiceAccountPageDto, description: 'One page of service accounts, oldest first' })
  @ApiProblem('invalid', 'not-found')
  async list(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string, @Query() page: PageQuery): Promise<ServiceAccountPageDto> {
    return mapPage(await this.accounts.list(actor, teamId, page), (account) => ServiceAccountDto.from(account));
  }

  @Patch(':accountId')
  @RequireAbility('manage-tokens', 'Team')
  @Operation({
    id: 'updateServiceAccount',
    summary: 'Give a service account another role',
    description: 'Its tokens have the new role at once. Both roles must be below your own.',
  })
  @ApiOkResponse({ type: ServiceAccountDto, description: 'The service account' })
  @ApiProblem('invalid', 'not-found')
  async update(
    @CurrentActor() actor: Actor,
    @IdParam('teamId') teamId: string,
    @IdParam('accountId') accountId: string,
    @Body() body: UpdateServiceAccountDto,
  ): Promise<ServiceAccountDto> {
    return ServiceAccountDto.from(await this.accounts.setRole(actor, teamId, accountId, { role: body.role, roleId: body.roleId }));
  }

  @Delete(':accountId')
  @HttpCode(204)
  @RequireAbility('manage-tokens', 'Team')
  @Operation({
    id: 'deleteServiceAccount',
    summary: 'Delete a service account',
    description: 'Its tokens end at once. What it did stays in the audit log.',
  })
  @ApiNoContentResponse({ description: 'The service account is gone' })
  @ApiProblem('invalid', 'not-found')
  async remove(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string, @IdParam('accountId') accountId: string): Promise<void> {
    await this.accounts.remove(actor, teamId, accountId);
  }

  @Post(':accountId/tokens')
  @Header('Cache-Control', 'no-store')
  @RequireAbility('manage-tokens', 'Team')
  @Operation({
    id: 'createServiceAccountToken',
    summary: 'Create a token of a service account',
    description:
      'Shown once; expires. It acts in this team alone, with the role of the account at each moment, cut to its scopes. A session older than five minutes needs a fresh proof (`POST /api/v1/me/reauthenticate`).',
  })
  @ApiCreatedResponse({ type: CreatedTokenDto, description: 'The token' })
  @ApiProblem('invalid', 'not-found', 'quota')
  async createToken(
    @CurrentActor() actor: Actor,
    @IdParam('teamId') teamId: string,
    @IdParam('accountId') accountId: string,
    @Body() body: CreateServiceTokenDto,
  ): Promise<CreatedTokenDto> {
    const { name, scopes, expiresInDays: days } = body;
    return CreatedTokenDto.of(await this.accounts.createToken(actor, teamId, accountId, { name, scopes, days }));
  }

  @Get(':accountId/tokens')
  @RequireAbility('manage-tokens', 'Team')
  @Operation({
    id: 'listServiceAccountTokens',
    summary: 'List the tokens of a service account',
    description: 'Those that were not revoked.',
  })
  @ApiOkResponse({ type: TokenPageDto, description: 'One page of tokens, newest first' })
  @ApiProblem('invalid', 'not-found')
  async listTokens(
    @CurrentActor() actor: Actor,
    @IdParam('teamId') teamId: string,
    @IdParam('accountId') accountId: string,
    @Query() page: PageQuery,
  ): Promise<TokenPageDto> {
    return mapPage(await this.accounts.listTokens(actor, teamId, accountId, page), (token) => TokenDto.from(token));
  }

  @Delete(':accountId/tokens/:tokenId')
  @HttpCode(204)
  @RequireAbility('manage-tokens', 'Team')
  @Operation({
    id: 'revokeServiceAccountToken',
    summary: 'Revoke a token of a service account',
    description: 'Ends the token at once and for good.',
  })
  @ApiNoContentResponse({ description: 'The token has ended' })
  @ApiProblem('invalid', 'not-found')
  async revokeToken(
    @CurrentActor() actor: Actor,
    @IdParam('teamId') teamId: string,
    @IdParam('accountId') accountId: string,
    @IdParam('tokenId') tokenId: string,
  ): Promise<void> {
    await this.accounts.revokeToken(actor, teamId, accountId, tokenId);
  }
}
