import { Body, Controller, Get, Header, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { DomainError } from '../../common/domain-error.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { PROBLEMS } from '../../http/problem.js';
import { AuthService } from '../auth.service.js';
import { Public } from '../auth.decorators.js';
import { GrantDto, RefreshTokenDto } from '../auth.dto.js';
import { SecondFactorChallengeDto } from '../factors/second-factor.dto.js';
import { Client, type ClientInfo } from '../sessions/client-info.js';
import { Throttle } from '../throttle/throttle.js';
import { callbackPage } from './callback-page.js';
import { BeginOidcDto, OidcAuthorizationDto, OidcCodeDto, OidcLogoutDto } from './oidc.dto.js';
import { AUTHORIZATION_SECONDS, OidcFlow } from './oidc-flow.js';
import { OidcLogin } from './oidc-login.js';
import { OidcProvider } from './oidc-provider.js';

/** Log-in with the operator's OIDC provider. */
@ApiTags('auth')
@Controller('auth')
@Public()
export class OidcController {
  constructor(
    private readonly flow: OidcFlow,
    private readonly logins: OidcLogin,
    private readonly provider: OidcProvider,
    private readonly auth: AuthService,
    private readonly throttle: Throttle,
  ) {}

  @Post('oidc/authorizations')
  @Header('Cache-Control', 'no-store')
  @Operation({
    id: 'beginOidc',
    summary: 'Begin a log-in at the OIDC provider',
    description:
      'Gives the address to open in a browser. It comes back with a one-time code, with which you fetch the result; no token is ever in an address.',
  })
  @ApiCreatedResponse({ type: OidcAuthorizationDto, description: 'Where to log in' })
  @ApiProblem('invalid', 'not-found', 'rate', 'unavailable')
  async begin(@Body() body: BeginOidcDto, @Client() client: ClientInfo): Promise<OidcAuthorizationDto> {
    await this.throttle.count('oidc', { address: client.address });
    const authorizationUrl = await this.flow.begin({ redirectUri: body.redirectUri, codeChallenge: body.codeChallenge });
    return { authorizationUrl, expiresIn: AUTHORIZATION_SECONDS };
  }

  @Get('oidc/callback')
  @Operation({
    id: 'oidcCallback',
    summary: 'Come back from the OIDC provider',
    description: 'For browsers. Sends them on to whoever began, with a one-time code or `error`, or shows the code.',
  })
  @ApiProduces('text/html')
  @ApiOkResponse({ description: 'A page that shows the code', content: { 'text/html': { schema: { type: 'string' } } } })
  @ApiResponse({ status: 303, description: 'On to whoever began' })
  @ApiProblem('unauthenticated', 'unavailable')
  async callback(@Req() request: Request, @Res() response: Response): Promise<void> {
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('Referrer-Policy', 'no-referrer');
    try {
      const result = await this.flow.comeBack(new URL(request.originalUrl, 'http://localhost').searchParams);
      if ('redirectTo' in result) response.redirect(303, result.redirectTo);
      else response.type('html').send(callbackPage({ title: 'You are almost there', text: CODE_TEXT, code: result.code }));
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      const text = `${error.message} ${error.fix ?? ''} (${error.code})`;
      response
        .status(PROBLEMS[error.kind].status)
        .type('html')
        .send(callbackPage({ title: 'The log-in failed', text }));
    }
  }

  @Post('oidc/token')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Operation({
    id: 'loginWithOidc',
    summary: 'Finish a log-in at the OIDC provider',
    description:
      'Exchanges the code for a session. The account is the one that the identity is linked to, or a new one where sign-up is open. An account with a second factor is asked for it, unless the provider has asked for one.',
  })
  @ApiOkResponse({ type: GrantDto, description: 'Tokens of the new session' })
  @ApiResponse({ status: 202, type: SecondFactorChallengeDto, description: 'The provider knows you; a second proof is needed' })
  @ApiProblem('invalid', 'unauthenticated', 'forbidden')
  async token(
    @Body() body: OidcCodeDto,
    @Client() client: ClientInfo,
    @Res({ passthrough: true }) response: Response,
  ): Promise<GrantDto | SecondFactorChallengeDto> {
    const result = await this.logins.logIn(await this.flow.redeem(body.code, body.codeVerifier), client);
    // What beginning has counted: an office behind one address is not locked out by its own log-ins.
    await this.throttle.forget('oidc', { address: client.address });
    if ('grant' in result) return GrantDto.from(result.grant);
    response.status(202);
    return SecondFactorChallengeDto.from(result.challenge);
  }

  @Post('oidc/logout')
  @HttpCode(200)
  @Operation({
    id: 'logoutWithOidc',
    summary: 'Log out, here and at the OIDC provider',
    description: "Ends the session of a refresh token, and says where the browser ends the provider's session too.",
  })
  @ApiOkResponse({ type: OidcLogoutDto, description: 'The session here has ended' })
  @ApiProblem('invalid', 'not-found', 'unavailable')
  async logout(@Body() body: RefreshTokenDto): Promise<OidcLogoutDto> {
    await this.auth.logout(body.refreshToken);
    return { logoutUrl: await this.provider.logoutUrl() };
  }
}

const CODE_TEXT =
  'Copy this code to where you began. It works once, for two minutes. If you did not begin a log-in yourself, give it to nobody.';
