import { Body, Controller, Header, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { invalidRequest } from '../../http/validation.js';
import { Public } from '../auth.decorators.js';
import { GrantDto } from '../auth.dto.js';
import { Client, type ClientInfo } from '../sessions/client-info.js';
import { ChallengeDto, PasskeyAssertionDto, PasskeyRequestDto, SecondFactorDto, proofOf } from './second-factor.dto.js';
import { SecondFactorLogin } from './second-factor-login.js';
import { assertionOf } from './webauthn-json.js';

/** The second proof of a log-in, and log-in by a passkey alone. */
@ApiTags('auth')
@Controller('auth')
@Public()
export class SecondFactorLoginController {
  constructor(private readonly logins: SecondFactorLogin) {}

  @Post('login/second-factor')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Operation({
    id: 'loginWithSecondFactor',
    summary: 'Finish a log-in with a second factor',
    description:
      'Takes the challenge of a log-in and one proof: a code of the authenticator app, a recovery code or a passkey. Five wrong ones end the log-in; a code that was used is wrong.',
  })
  @ApiOkResponse({ type: GrantDto, description: 'Tokens of the new session' })
  @ApiProblem('invalid', 'unauthenticated', 'rate')
  async complete(@Body() body: SecondFactorDto, @Client() client: ClientInfo): Promise<GrantDto> {
    const proof = proofOf(body);
    if ('password' in proof)
      throw invalidRequest([{ path: 'password', code: 'UNKNOWN_FIELD', message: 'A password is no second factor.' }]);
    return GrantDto.from(await this.logins.complete(body.challenge, proof, client));
  }

  @Post('login/second-factor/passkey-options')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Operation({
    id: 'getSecondFactorPasskeyOptions',
    summary: 'Ask what a passkey has to sign as second factor',
    description: 'For a log-in whose challenge names the method `passkey`. What is signed works once, for five minutes.',
  })
  @ApiOkResponse({ type: PasskeyRequestDto, description: 'For the browser' })
  @ApiProblem('invalid', 'unauthenticated')
  async secondFactorOptions(@Body() body: ChallengeDto): Promise<PasskeyRequestDto> {
    return { publicKey: await this.logins.passkeyOptions(body.challenge) };
  }

  @Post('passkeys/options')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Operation({
    id: 'getPasskeyLoginOptions',
    summary: 'Ask what a passkey has to sign to log in',
    description: 'For a log-in without address and password. What is signed works once, for five minutes.',
  })
  @ApiOkResponse({ type: PasskeyRequestDto, description: 'For the browser' })
  @ApiProblem('rate')
  async options(@Client() client: ClientInfo): Promise<PasskeyRequestDto> {
    return { publicKey: await this.logins.discoverableOptions(client) };
  }

  @Post('passkeys/verify')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Operation({
    id: 'loginWithPasskey',
    summary: 'Log in with a passkey',
    description:
      'Opens a session for the owner of the passkey. It stands for both factors: the device, and the finger or PIN that unlocked it.',
  })
  @ApiOkResponse({ type: GrantDto, description: 'Tokens of the new session' })
  @ApiProblem('invalid', 'unauthenticated', 'rate')
  async verify(@Body() body: PasskeyAssertionDto, @Client() client: ClientInfo): Promise<GrantDto> {
    return GrantDto.from(await this.logins.withPasskey(assertionOf(body.passkey, 'passkey'), client));
  }
}
