import { Body, Controller, Get, Header, HttpCode, Post, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { asSystem } from '../common/request-context.js';
import { ApiProblem, Operation } from '../http/api.decorators.js';
import { TeamsService } from '../modules/teams/teams.service.js';
import type { Actor } from './actor.js';
import { ApiTokens } from './api-tokens/api-tokens.js';
import { Authenticated, BeforeSecondFactor, CurrentActor, Public } from './auth.decorators.js';
import { GrantDto, LoginDto, MeDto, MyTokenDto, RefreshTokenDto } from './auth.dto.js';
import { AuthService } from './auth.service.js';
import { SecondFactorChallengeDto } from './factors/second-factor.dto.js';
import { SecondFactors } from './factors/second-factors.js';
import { PasswordLogin } from './passwords/password-login.js';
import { Client, type ClientInfo } from './sessions/client-info.js';
import { Throttle } from './throttle/throttle.js';

/** Log-in and who one is. */
@ApiTags('auth')
@Controller()
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly passwords: PasswordLogin,
    private readonly factors: SecondFactors,
    private readonly throttle: Throttle,
    private readonly teams: TeamsService,
    private readonly apiTokens: ApiTokens,
  ) {}

  @Post('auth/login')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Public()
  @Operation({
    id: 'login',
    summary: 'Log in',
    description:
      'Opens a session with address and password; whoever has a second factor gets a challenge instead, and sends it back with a proof. After five failures in a quarter of an hour the pair of account and address has to wait.',
  })
  @ApiOkResponse({ type: GrantDto, description: 'Tokens of the new session' })
  @ApiAcceptedResponse({ type: SecondFactorChallengeDto, description: 'The password is right; one more proof is needed' })
  @ApiProblem('invalid', 'unauthenticated', 'rate', 'unavailable')
  async login(
    @Body() body: LoginDto,
    @Client() client: ClientInfo,
    @Res({ passthrough: true }) response: Response,
  ): Promise<GrantDto | SecondFactorChallengeDto> {
    const user = await this.passwords.verify(body.email, body.password, client.address);
    const challenge = await asSystem('log-in', () => this.factors.challengeFor(user.id, 'password'));
    if (challenge === null) return GrantDto.from(await this.auth.admit(user, { methods: ['password'], secondFactor: false }, client));
    response.status(202);
    return SecondFactorChallengeDto.from(challenge);
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
  @ApiProblem('invalid', 'unauthenticated', 'rate')
  async refresh(@Body() body: RefreshTokenDto, @Client() client: ClientInfo): Promise<GrantDto> {
    await this.throttle.count('refresh', client);
    const grant = await this.auth.refresh(body.refreshToken, client);
    await this.throttle.forget('refresh', client);
    return GrantDto.from(grant);
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
  @Authenticated({ token: 'any' })
  @BeforeSecondFactor()
  @Operation({
    id: 'getMe',
    summary: 'Show who I am',
    description: 'The caller, their teams and their role in each; and the API token, if they use one.',
  })
  @ApiOkResponse({ type: MeDto, description: 'The caller' })
  async me(@CurrentActor() actor: Actor): Promise<MeDto> {
    const teams = await this.teams.ofActor(actor);
    const { credential } = actor;
    const token = credential.kind === 'token' ? await this.apiTokens.byId(credential.tokenId) : null;
    const me = { id: actor.userId, email: actor.email, platformAdmin: actor.platformAdmin, teams };
    return token === null ? me : { ...me, token: MyTokenDto.from(token) };
  }
}
