import { Controller, Delete, Get, Header, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../auth/actor.js';
import { CurrentActor, RequireAbility } from '../../auth/auth.decorators.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { IdParam } from '../../http/id-param.js';
import { PageQuery, mapPage } from '../../http/pagination.js';
import { UserAdministration } from '../users/user-administration.service.js';
import { PasswordResetLinkDto } from './dto/password.dto.js';
import { EndedSessionsDto, SessionDto, SessionPageDto } from './dto/session.dto.js';
import { PasswordResetLinks } from './password-reset.service.js';

/** The log-ins of other people, for administrators of the platform. */
@ApiTags('users')
@Controller('users/:userId')
export class UserAccessController {
  constructor(
    private readonly users: UserAdministration,
    private readonly links: PasswordResetLinks,
  ) {}

  @Get('sessions')
  @RequireAbility('update', 'User')
  @Operation({
    id: 'listUserSessions',
    summary: 'List the sessions of a user',
    description: 'Where they are logged in. Platform administrators only.',
  })
  @ApiOkResponse({ type: SessionPageDto, description: 'One page of sessions, oldest first' })
  @ApiProblem('invalid', 'not-found')
  async listSessions(@CurrentActor() actor: Actor, @IdParam('userId') userId: string, @Query() page: PageQuery): Promise<SessionPageDto> {
    const current = actor.credential.kind === 'session' ? actor.credential.sessionId : undefined;
    return mapPage(await this.users.sessionsOf(actor, userId, page), (session) => SessionDto.from(session, current));
  }

  @Delete('sessions')
  @RequireAbility('update', 'User')
  @Operation({
    id: 'revokeUserSessions',
    summary: 'End all sessions of a user',
    description: 'Logs them out everywhere, at once. Platform administrators only.',
  })
  @ApiOkResponse({ type: EndedSessionsDto, description: 'How many have ended' })
  @ApiProblem('invalid', 'not-found')
  async endSessions(@CurrentActor() actor: Actor, @IdParam('userId') userId: string): Promise<EndedSessionsDto> {
    return { endedSessions: await this.users.endSessions(actor, userId) };
  }

  @Post('password-reset')
  @Header('Cache-Control', 'no-store')
  @RequireAbility('update', 'User')
  @Operation({
    id: 'createPasswordReset',
    summary: 'Make a link to reset a password',
    description:
      'A link with which the user chooses a new password within an hour. It is in the answer this once, and mailed where mail is sent. Platform administrators only.',
  })
  @ApiCreatedResponse({ type: PasswordResetLinkDto, description: 'The link' })
  @ApiProblem('invalid', 'not-found')
  async makeResetLink(@CurrentActor() actor: Actor, @IdParam('userId') userId: string): Promise<PasswordResetLinkDto> {
    return PasswordResetLinkDto.from(await this.links.make(actor, userId));
  }
}
