import { Body, Controller, Delete, Get, Header, HttpCode, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../auth/actor.js';
import { Authenticated, CurrentActor, RequireAbility } from '../../auth/auth.decorators.js';
import { SCOPED_RIGHTS, SCOPES, SCOPE_NAMES } from '../../auth/token-scopes.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { IdParam } from '../../http/id-param.js';
import { PageQuery, mapPage } from '../../http/pagination.js';
import { CreateTokenDto, CreatedTokenDto, ScopeListDto, TokenDto, TokenPageDto } from './dto/token.dto.js';
import { TokensService } from './tokens.service.js';

/** API tokens. No token may manage tokens: a stolen one could make itself permanent. */
@ApiTags('tokens')
@Controller()
export class TokensController {
  constructor(private readonly tokens: TokensService) {}

  @Get('scopes')
  @Authenticated({ token: 'any' })
  @Operation({
    id: 'listScopes',
    summary: 'List the scopes of tokens',
    description: 'What a token can be allowed. A token may do what its owner may at that moment, as far as one of its scopes covers it.',
  })
  @ApiOkResponse({ type: ScopeListDto, description: 'All scopes' })
  scopes(): ScopeListDto {
    const items = SCOPE_NAMES.map((scope) => ({
      scope,
      description: SCOPES[scope],
      rights: SCOPED_RIGHTS.filter((right) => right.scope === scope).map(({ action, subject }) => ({ action, subject })),
    }));
    return { items, nextCursor: null };
  }

  @Post('me/tokens')
  @Header('Cache-Control', 'no-store')
  @Authenticated()
  @Operation({
    id: 'createMyToken',
    summary: 'Create an API token',
    description:
      'A token that acts with your rights of the moment, cut to its scopes. It is shown once, and expires. Not with an API token: log in for this. A session older than five minutes needs a fresh proof (`POST /api/v1/me/reauthenticate`).',
  })
  @ApiCreatedResponse({ type: CreatedTokenDto, description: 'The token' })
  @ApiProblem('invalid', 'not-found', 'quota')
  async create(@CurrentActor() actor: Actor, @Body() body: CreateTokenDto): Promise<CreatedTokenDto> {
    const { name, scopes, expiresInDays: days, teamId = null } = body;
    return CreatedTokenDto.of(await this.tokens.createOwn(actor, { name, scopes, days, teamId }));
  }

  @Get('me/tokens')
  @Authenticated()
  @Operation({
    id: 'listMyTokens',
    summary: 'List my API tokens',
    description: 'Your tokens that were not revoked, newest first, with when and from where each was last used.',
  })
  @ApiOkResponse({ type: TokenPageDto, description: 'One page of tokens' })
  @ApiProblem('invalid')
  async list(@CurrentActor() actor: Actor, @Query() page: PageQuery): Promise<TokenPageDto> {
    return mapPage(await this.tokens.listOwn(actor, page), (token) => TokenDto.from(token));
  }

  @Delete('me/tokens/:tokenId')
  @HttpCode(204)
  @Authenticated()
  @Operation({ id: 'revokeMyToken', summary: 'Revoke one of my API tokens', description: 'Ends the token at once and for good.' })
  @ApiNoContentResponse({ description: 'The token has ended' })
  @ApiProblem('invalid', 'not-found')
  async revoke(@CurrentActor() actor: Actor, @IdParam('tokenId') tokenId: string): Promise<void> {
    await this.tokens.revokeOwn(actor, tokenId);
  }

  @Get('teams/:teamId/tokens')
  @RequireAbility('manage-tokens', 'Team')
  @Operation({
    id: 'listTeamTokens',
    summary: 'List the API tokens of a team',
    description: 'Those that act in this team alone: of its service accounts, and of members who made one for it.',
  })
  @ApiOkResponse({ type: TokenPageDto, description: 'One page of tokens, newest first' })
  @ApiProblem('invalid', 'not-found')
  async listOfTeam(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string, @Query() page: PageQuery): Promise<TokenPageDto> {
    return mapPage(await this.tokens.listOfTeam(actor, teamId, page), (token) => TokenDto.from(token));
  }

  @Delete('teams/:teamId/tokens/:tokenId')
  @HttpCode(204)
  @RequireAbility('manage-tokens', 'Team')
  @Operation({
    id: 'revokeTeamToken',
    summary: 'Revoke an API token of a team',
    description: "Ends a token that acts in this team alone, also a member's.",
  })
  @ApiNoContentResponse({ description: 'The token has ended' })
  @ApiProblem('invalid', 'not-found')
  async revokeOfTeam(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string, @IdParam('tokenId') tokenId: string): Promise<void> {
    await this.tokens.revokeOfTeam(actor, teamId, tokenId);
  }
}
