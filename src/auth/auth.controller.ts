import { Body, Controller, Get, Header, HttpCode, Ip, Post } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblem, Operation } from '../http/api.decorators.js';
import { TeamsService } from '../modules/teams/teams.service.js';
import type { Actor } from './actor.js';
import { Authenticated, CurrentActor, Public } from './auth.decorators.js';
import { GrantDto, LoginDto, MeDto, RefreshTokenDto } from './auth.dto.js';
import { AuthService } from './auth.service.js';

/** Log-in and who one is. */
@ApiTags('auth')
@Controller()
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly teams: TeamsService,
  ) {}

  @Post('auth/login')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Public()
  @Operation({
    id: 'login',
    summary: 'Log in',
    description:
      'Opens a session with address and password. After five failures in a quarter of an hour the pair of account and address has to wait.',
  })
  @ApiOkResponse({ type: GrantDto, description: 'Tokens of the new session' })
  @ApiProblem('invalid', 'unauthenticated', 'rate')
  async login(@Body() body: LoginDto, @Ip() address: string): Promise<GrantDto> {
    return GrantDto.from(await this.auth.login(body.email, body.password, address));
  }

  @Post('auth/refresh')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Public()
  @Operation({
    id: 'refreshTokens',
    summary: 'Refresh the tokens',
    description: 'Exchanges a refresh token for new tokens. Each works once: one that comes back ends the session.',
  })
  @ApiOkResponse({ type: GrantDto, description: 'The next tokens of the session' })
  @ApiProblem('invalid', 'unauthenticated')
  async refresh(@Body() body: RefreshTokenDto): Promise<GrantDto> {
    return GrantDto.from(await this.auth.refresh(body.refreshToken));
  }

  @Post('auth/logout')
  @HttpCode(204)
  @Public()
  @Operation({
    id: 'logout',
    summary: 'Log out',
    description: 'Ends the session of a refresh token; its access tokens stop working at once. An unknown token is no error.',
  })
  @ApiNoContentResponse({ description: 'The session has ended' })
  @ApiProblem('invalid')
  async logout(@Body() body: RefreshTokenDto): Promise<void> {
    await this.auth.logout(body.refreshToken);
  }

  @Get('me')
  @Authenticated()
  @Operation({ id: 'getMe', summary: 'Show who I am', description: 'The caller, their teams and their role in each.' })
  @ApiOkResponse({ type: MeDto, description: 'The caller' })
  async me(@CurrentActor() actor: Actor): Promise<MeDto> {
    const teams = await this.teams.ofActor(actor);
    return { id: actor.userId, email: actor.email, platformAdmin: actor.platformAdmin, teams };
  }
}
