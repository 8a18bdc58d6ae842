import { Body, Controller, Get, Header, HttpCode, Post, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Public } from '../../auth/auth.decorators.js';
import { GrantDto } from '../../auth/auth.dto.js';
import { LONGEST_PASSWORD, SHORTEST_PASSWORD } from '../../auth/passwords/password-policy.js';
import { Client, type ClientInfo } from '../../auth/sessions/client-info.js';
import { Config } from '../../config/config.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { ConfirmPasswordResetDto, NewPasswordDto, RequestPasswordResetDto } from './dto/password.dto.js';
import { AcceptedRequestDto, AuthOptionsDto, ConfirmSignUpDto, SignUpDto } from './dto/sign-up.dto.js';
import { PasswordResetService } from './password-reset.service.js';
import { SignUpService } from './sign-up.service.js';

/** Ways to an account, and back into one, for whoever is not logged in. */
@ApiTags('auth')
@Controller('auth')
export class AccountsController {
  constructor(
    private readonly signUps: SignUpService,
    private readonly resets: PasswordResetService,
    private readonly config: Config,
  ) {}

  @Get('options')
  @Public()
  @Operation({ id: 'getAuthOptions', summary: 'Show how people get in', description: 'What a log-in page has to offer.' })
  @ApiOkResponse({ type: AuthOptionsDto, description: 'The ways in' })
  options(): AuthOptionsDto {
    return {
      signUp: this.config.signUp,
      mail: this.config.smtpUrl !== undefined,
      oidc: this.config.oidcIssuer === undefined ? null : { name: this.config.oidcName },
      shortestPassword: SHORTEST_PASSWORD,
      longestPassword: LONGEST_PASSWORD,
    };
  }

  @Post('sign-up')
  @Header('Cache-Control', 'no-store')
  @Public()
  @Operation({
    id: 'signUp',
    summary: 'Sign up',
    description:
      'Opens an account where HITHE_SIGN_UP is `open`. Where mail is sent, the address has to be confirmed first, and the answer is the same for one that has an account.',
  })
  @ApiCreatedResponse({ type: GrantDto, description: 'The account is open: tokens of its first session' })
  @ApiAcceptedResponse({ type: AcceptedRequestDto, description: 'A mail says how to go on' })
  @ApiProblem('invalid', 'forbidden', 'conflict', 'rate', 'unavailable')
  async signUp(
    @Body() body: SignUpDto,
    @Client() client: ClientInfo,
    @Res({ passthrough: true }) response: Response,
  ): Promise<GrantDto | AcceptedRequestDto> {
    const grant = await this.signUps.signUp(body.email, body.password, client);
    if (grant) return GrantDto.from(grant);
    response.status(202);
    return { mail: true, message: 'A mail to this address says how to go on.' };
  }

  @Post('sign-up/confirm')
  @Header('Cache-Control', 'no-store')
  @Public()
  @Operation({
    id: 'confirmSignUp',
    summary: 'Confirm a sign-up',
    description: 'Opens the account that the mailed link is for. The password must be the one of the sign-up.',
  })
  @ApiCreatedResponse({ type: GrantDto, description: 'Tokens of the first session' })
  @ApiProblem('invalid', 'not-found', 'conflict', 'rate', 'unavailable')
  async confirmSignUp(@Body() body: ConfirmSignUpDto, @Client() client: ClientInfo): Promise<GrantDto> {
    return GrantDto.from(await this.signUps.confirm(body.token, body.password, client));
  }

  @Post('password-reset/request')
  @HttpCode(202)
  @Public()
  @Operation({
    id: 'requestPasswordReset',
    summary: 'Ask for a link to reset a password',
    description: 'Mails a link to the address if it has an account. The answer, and the time it takes, are the same for one that has none.',
  })
  @ApiAcceptedResponse({ type: AcceptedRequestDto, description: 'What happens next' })
  @ApiProblem('invalid', 'rate')
  async requestReset(@Body() body: RequestPasswordResetDto, @Client() client: ClientInfo): Promise<AcceptedRequestDto> {
    const mail = await this.resets.request(body.email, client);
    return {
      mail,
      message: mail
        ? 'If there is an account with this address, a mail with a link is on its way.'
        : 'This installation sends no mail: ask an administrator for a link.',
    };
  }

  @Post('password-reset/confirm')
  @HttpCode(200)
  @Public()
  @Operation({
    id: 'confirmPasswordReset',
    summary: 'Reset a password',
    description: 'Sets the password of the user whose link this is, and ends all their sessions. A second factor stays as it is.',
  })
  @ApiOkResponse({ type: NewPasswordDto, description: 'What has ended with the password before' })
  @ApiProblem('invalid', 'not-found', 'rate', 'unavailable')
  async confirmReset(@Body() body: ConfirmPasswordResetDto, @Client() client: ClientInfo): Promise<NewPasswordDto> {
    return NewPasswordDto.from(await this.resets.confirm(body.token, body.password, client));
  }
}
