import { Body, Controller, Delete, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../auth/actor.js';
import { Authenticated, BeforeSecondFactor, CurrentActor } from '../../auth/auth.decorators.js';
import { Client, type ClientInfo } from '../../auth/sessions/client-info.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { IdParam } from '../../http/id-param.js';
import { PageQuery, mapPage } from '../../http/pagination.js';
import { ChangePasswordDto, NewPasswordDto } from './dto/password.dto.js';
import { EndedSessionsDto, SessionDto, SessionPageDto } from './dto/session.dto.js';
import { MyPasswordService } from './my-password.service.js';
import { MySessionsService } from './my-sessions.service.js';

/** One's own password and sessions. */
@ApiTags('account')
@Controller('me')
export class MyAccountController {
  constructor(
    private readonly passwords: MyPasswordService,
    private readonly sessions: MySessionsService,
  ) {}

  @Post('password')
  @HttpCode(200)
  @Authenticated()
  @Operation({
    id: 'changePassword',
    summary: 'Change my password',
    description: 'Needs the current one. All other sessions end; API tokens stay, and the answer names them.',
  })
  @ApiOkResponse({ type: NewPasswordDto, description: 'What has ended with the password before' })
  @ApiProblem('invalid', 'forbidden', 'conflict', 'rate')
  async changePassword(
    @CurrentActor() actor: Actor,
    @Body() body: ChangePasswordDto,
    @Client() client: ClientInfo,
  ): Promise<NewPasswordDto> {
    return NewPasswordDto.from(await this.passwords.change(actor, body.currentPassword, body.newPassword, client));
  }

  @Get('sessions')
  @Authenticated()
  @BeforeSecondFactor()
  @Operation({ id: 'listMySessions', summary: 'List my sessions', description: 'Where I am logged in, and since when.' })
  @ApiOkResponse({ type: SessionPageDto, description: 'One page of sessions, oldest first' })
  @ApiProblem('invalid')
  async list(@CurrentActor() actor: Actor, @Query() page: PageQuery): Promise<SessionPageDto> {
    const current = actor.credential.kind === 'session' ? actor.credential.sessionId : undefined;
    return mapPage(await this.sessions.list(actor, page), (session) => SessionDto.from(session, current));
  }

  @Delete('sessions')
  @Authenticated()
  @BeforeSecondFactor()
  @Operation({
    id: 'revokeMyOtherSessions',
    summary: 'End my other sessions',
    description: 'Logs me out everywhere but here, at once.',
  })
  @ApiOkResponse({ type: EndedSessionsDto, description: 'How many have ended' })
  async endOthers(@CurrentActor() actor: Actor): Promise<EndedSessionsDto> {
    return { endedSessions: await this.sessions.endOthers(actor) };
  }

  @Delete('sessions/:sessionId')
  @HttpCode(204)
  @Authenticated()
  @BeforeSecondFactor()
  @Operation({ id: 'revokeMySession', summary: 'End one of my sessions', description: 'Its tokens stop working at once.' })
  @ApiNoContentResponse({ description: 'The session has ended' })
  @ApiProblem('invalid', 'not-found')
  async end(@CurrentActor() actor: Actor, @IdParam('sessionId') sessionId: string): Promise<void> {
    await this.sessions.end(actor, sessionId);
  }
}
