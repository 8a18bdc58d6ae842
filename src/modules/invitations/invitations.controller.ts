import { Body, Controller, Delete, Get, Header, HttpCode, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../auth/actor.js';
import { Authenticated, CurrentActor, RequireAbility } from '../../auth/auth.decorators.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { IdParam } from '../../http/id-param.js';
import { PageQuery, mapPage } from '../../http/pagination.js';
import { CreatedInvitationDto, InvitationDto, InvitationPageDto, InviteDto, InviteToTeamDto } from './dto/invitation.dto.js';
import { InvitingService } from './inviting.service.js';

/** Invitations to teams and to the platform, for those who invite. */
@ApiTags('invitations')
@Controller()
export class InvitationsController {
  constructor(private readonly inviting: InvitingService) {}

  @Post('teams/:teamId/invitations')
  @Header('Cache-Control', 'no-store')
  @RequireAbility('manage-members', 'Team')
  @Operation({
    id: 'inviteToTeam',
    summary: 'Invite somebody to a team',
    description:
      'Makes a link with which the address joins the team, with a new account or its own. It replaces an open invitation of the same address, is shown this once, and is mailed where mail is sent.',
  })
  @ApiCreatedResponse({ type: CreatedInvitationDto, description: 'The invitation with its link' })
  @ApiProblem('invalid', 'not-found', 'conflict', 'rate')
  async inviteToTeam(
    @CurrentActor() actor: Actor,
    @IdParam('teamId') teamId: string,
    @Body() body: InviteToTeamDto,
  ): Promise<CreatedInvitationDto> {
    return CreatedInvitationDto.of(await this.inviting.toTeam(actor, teamId, body.role, InviteDto.requestOf(body)));
  }

  @Get('teams/:teamId/invitations')
  @RequireAbility('manage-members', 'Team')
  @Operation({
    id: 'listTeamInvitations',
    summary: 'List the invitations to a team',
    description: 'Those that are open. Their links are not shown again.',
  })
  @ApiOkResponse({ type: InvitationPageDto, description: 'One page of invitations, newest first' })
  @ApiProblem('invalid', 'not-found')
  async listOfTeam(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string, @Query() page: PageQuery): Promise<InvitationPageDto> {
    return mapPage(await this.inviting.listOfTeam(actor, teamId, page), (invitation) => InvitationDto.from(invitation));
  }

  @Post('invitations')
  @Header('Cache-Control', 'no-store')
  @RequireAbility('create', 'User')
  @Operation({
    id: 'inviteToPlatform',
    summary: 'Invite somebody to the platform',
    description: 'Makes a link with which the address opens an account, with its personal team. Platform administrators only.',
  })
  @ApiCreatedResponse({ type: CreatedInvitationDto, description: 'The invitation with its link' })
  @ApiProblem('invalid', 'conflict')
  async inviteToPlatform(@CurrentActor() actor: Actor, @Body() body: InviteDto): Promise<CreatedInvitationDto> {
    return CreatedInvitationDto.of(await this.inviting.toPlatform(actor, InviteDto.requestOf(body)));
  }

  @Get('invitations')
  @RequireAbility('create', 'User')
  @Operation({
    id: 'listInvitations',
    summary: 'List the invitations to the platform',
    description: 'Those that are open and to no team. Platform administrators only.',
  })
  @ApiOkResponse({ type: InvitationPageDto, description: 'One page of invitations, newest first' })
  @ApiProblem('invalid')
  async list(@Query() page: PageQuery): Promise<InvitationPageDto> {
    return mapPage(await this.inviting.listOfPlatform(page), (invitation) => InvitationDto.from(invitation));
  }

  @Delete('invitations/:invitationId')
  @HttpCode(204)
  @Authenticated()
  @Operation({ id: 'revokeInvitation', summary: 'Revoke an invitation', description: 'Its link works no more. Who may invite may revoke.' })
  @ApiNoContentResponse({ description: 'The invitation is revoked' })
  @ApiProblem('invalid', 'not-found')
  async revoke(@CurrentActor() actor: Actor, @IdParam('invitationId') invitationId: string): Promise<void> {
    await this.inviting.revoke(actor, invitationId);
  }
}
