import { Body, Controller, Header, HttpCode, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../auth/actor.js';
import { Authenticated, CurrentActor, Public } from '../../auth/auth.decorators.js';
import { GrantDto } from '../../auth/auth.dto.js';
import { Client, type ClientInfo } from '../../auth/sessions/client-info.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { AcceptingService } from './accepting.service.js';
import { AcceptInvitationDto, InvitationDto, InvitationTokenDto, InvitationViewDto } from './dto/invitation.dto.js';

/** Invitations, for those who were invited. Tokens travel in bodies, never in addresses. */
@ApiTags('invitations')
@Controller()
export class AcceptingController {
  constructor(private readonly accepting: AcceptingService) {}

  @Post('auth/invitations/lookup')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Public()
  @Operation({ id: 'lookUpInvitation', summary: 'Read an invitation', description: 'Who invites to what; for whoever holds the link.' })
  @ApiOkResponse({ type: InvitationViewDto, description: 'The invitation' })
  @ApiProblem('invalid', 'not-found', 'rate')
  async lookup(@Body() body: InvitationTokenDto, @Client() client: ClientInfo): Promise<InvitationViewDto> {
    return InvitationViewDto.from(await this.accepting.lookup(body.token, client));
  }

  @Post('auth/invitations/accept')
  @Header('Cache-Control', 'no-store')
  @Public()
  @Operation({
    id: 'acceptInvitation',
    summary: 'Accept an invitation with a new account',
    description:
      'Opens an account for the invited address, joins the team, and logs in. An address that has an account logs in and accepts as itself.',
  })
  @ApiCreatedResponse({ type: GrantDto, description: 'Tokens of the first session' })
  @ApiProblem('invalid', 'forbidden', 'not-found', 'conflict', 'rate', 'unavailable')
  async accept(@Body() body: AcceptInvitationDto, @Client() client: ClientInfo): Promise<GrantDto> {
    return GrantDto.from(await this.accepting.asNewcomer(body.token, body.password, client));
  }

  @Post('me/invitations/accept')
  @HttpCode(200)
  @Authenticated()
  @Operation({
    id: 'acceptInvitationAsMe',
    summary: 'Accept an invitation as myself',
    description: 'Joins the team of an invitation to my address. A role that I have there already stays.',
  })
  @ApiOkResponse({ type: InvitationDto, description: 'The invitation that was accepted' })
  @ApiProblem('invalid', 'forbidden', 'not-found', 'rate')
  async acceptAsMe(@CurrentActor() actor: Actor, @Body() body: InvitationTokenDto, @Client() client: ClientInfo): Promise<InvitationDto> {
    return InvitationDto.from(await this.accepting.asActor(actor, body.token, client));
  }
}
