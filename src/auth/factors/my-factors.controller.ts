import { Body, Controller, Delete, Get, Header, HttpCode, Ip, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { IdParam } from '../../http/id-param.js';
import { PageQuery, mapPage } from '../../http/pagination.js';
import type { Actor } from '../actor.js';
import { Authenticated, BeforeSecondFactor, CurrentActor } from '../auth.decorators.js';
import { MyFactors } from './my-factors.service.js';
import { Reauthentication } from './reauthentication.js';
import {
  EnabledFactorDto,
  PasskeyCreationDto,
  PasskeyDto,
  PasskeyPageDto,
  PasskeyRequestDto,
  ReauthenticateDto,
  RecoveryCodesDto,
  RegisterPasskeyDto,
  RegisteredPasskeyDto,
  RenamePasskeyDto,
  SecondFactorsDto,
  TotpCodeDto,
  TotpEnrolmentDto,
  proofOf,
} from './second-factor.dto.js';
import { SecondFactors } from './second-factors.js';
import { registrationOf } from './webauthn-json.js';

/** The caller's own second factors. */
@ApiTags('second factors')
@Controller('me')
@Authenticated()
@BeforeSecondFactor()
export class MyFactorsController {
  constructor(
    private readonly mine: MyFactors,
    private readonly factors: SecondFactors,
    private readonly reauthentication: Reauthentication,
  ) {}

  @Get('second-factors')
  @Operation({
    id: 'getMySecondFactors',
    summary: 'Show my second factors',
    description: 'Which there are, how many recovery codes are left, and whether the operator demands one.',
  })
  @ApiOkResponse({ type: SecondFactorsDto, description: 'The second factors of the caller' })
  async status(@CurrentActor() actor: Actor): Promise<SecondFactorsDto> {
    return SecondFactorsDto.from(await this.factors.statusOf({ id: actor.userId, platformAdmin: actor.platformAdmin }));
  }

  @Post('reauthenticate')
  @HttpCode(204)
  @Operation({
    id: 'reauthenticate',
    summary: 'Prove again who I am',
    description:
      'With the password, a code, a recovery code or a passkey. For the next five minutes this session may change how the caller logs in.',
  })
  @ApiNoContentResponse({ description: 'The proof is right' })
  @ApiProblem('invalid', 'forbidden', 'rate')
  async reauthenticate(@CurrentActor() actor: Actor, @Body() body: ReauthenticateDto, @Ip() address: string): Promise<void> {
    await this.reauthentication.prove(actor, proofOf(body), address);
  }

  @Post('reauthenticate/passkey-options')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Operation({
    id: 'getReauthenticationPasskeyOptions',
    summary: 'Ask what a passkey has to sign to prove again who I am',
    description: 'For `reauthenticate`. What is signed works once, for five minutes.',
  })
  @ApiOkResponse({ type: PasskeyRequestDto, description: 'For the browser' })
  async reauthenticationOptions(@CurrentActor() actor: Actor): Promise<PasskeyRequestDto> {
    return { publicKey: await this.mine.proofOptions(actor) };
  }

  @Post('totp')
  @Header('Cache-Control', 'no-store')
  @Operation({
    id: 'beginTotp',
    summary: 'Begin to set up an authenticator app',
    description:
      'Needs a fresh proof, see `reauthenticate`. Makes a secret for the app. It counts once a code of it has confirmed it; until then another call replaces it.',
  })
  @ApiCreatedResponse({ type: TotpEnrolmentDto, description: 'The secret, shown only now' })
  @ApiProblem('forbidden', 'conflict')
  async beginTotp(@CurrentActor() actor: Actor): Promise<TotpEnrolmentDto> {
    // Its codes are proofs themselves: whoever adds one without a proof has one for everything else.
    await this.reauthentication.require(actor);
    return this.mine.beginTotp(actor);
  }

  @Post('totp/confirm')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Operation({
    id: 'confirmTotp',
    summary: 'Put the authenticator app into use',
    description: 'From now on a log-in with the password asks for a code too.',
  })
  @ApiOkResponse({ type: EnabledFactorDto, description: 'With the first factor, the recovery codes' })
  @ApiProblem('invalid', 'conflict')
  async confirmTotp(@CurrentActor() actor: Actor, @Body() body: TotpCodeDto): Promise<EnabledFactorDto> {
    const recoveryCodes = await this.mine.confirmTotp(actor, body.code);
    return recoveryCodes === undefined ? {} : { recoveryCodes };
  }

  @Delete('totp')
  @HttpCode(204)
  @Operation({
    id: 'disableTotp',
    summary: 'Disable the authenticator app',
    description: 'Needs a fresh proof, see `reauthenticate`. With the last second factor the recovery codes go too.',
  })
  @ApiNoContentResponse({ description: 'It is not asked for any more' })
  @ApiProblem('forbidden', 'conflict')
  async disableTotp(@CurrentActor() actor: Actor): Promise<void> {
    await this.reauthentication.require(actor);
    await this.mine.disableTotp(actor);
  }

  @Post('recovery-codes')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Operation({
    id: 'renewRecoveryCodes',
    summary: 'Make new recovery codes',
    description: 'Needs a fresh proof, see `reauthenticate`. The former codes are void.',
  })
  @ApiOkResponse({ type: RecoveryCodesDto, description: 'The codes, shown only now' })
  @ApiProblem('forbidden', 'conflict')
  async renewRecoveryCodes(@CurrentActor() actor: Actor): Promise<RecoveryCodesDto> {
    await this.reauthentication.require(actor);
    return { recoveryCodes: await this.mine.renewRecoveryCodes(actor) };
  }

  @Get('passkeys')
  @Operation({ id: 'listMyPasskeys', summary: 'List my passkeys', description: 'The passkeys of the caller.' })
  @ApiOkResponse({ type: PasskeyPageDto, description: 'One page of passkeys, oldest first' })
  @ApiProblem('invalid')
  async listPasskeys(@CurrentActor() actor: Actor, @Query() page: PageQuery): Promise<PasskeyPageDto> {
    return mapPage(await this.mine.listPasskeys(actor, page), (passkey) => PasskeyDto.from(passkey));
  }

  @Post('passkeys/options')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Operation({
    id: 'getPasskeyRegistrationOptions',
    summary: 'Ask what a new passkey is to be like',
    description: 'Needs a fresh proof, see `reauthenticate`. The answer is for the browser, and works once, for five minutes.',
  })
  @ApiOkResponse({ type: PasskeyCreationDto, description: 'For the browser' })
  @ApiProblem('forbidden')
  async passkeyOptions(@CurrentActor() actor: Actor): Promise<PasskeyCreationDto> {
    await this.reauthentication.require(actor);
    return { publicKey: await this.mine.passkeyOptions(actor) };
  }

  @Post('passkeys')
  @Header('Cache-Control', 'no-store')
  @Operation({
    id: 'registerPasskey',
    summary: 'Register a passkey',
    description: 'Needs a fresh proof, see `reauthenticate`. From now on a log-in with the password asks for a second factor too.',
  })
  @ApiCreatedResponse({ type: RegisteredPasskeyDto, description: 'The passkey; with the first factor, the recovery codes' })
  @ApiProblem('invalid', 'forbidden', 'conflict')
  async registerPasskey(@CurrentActor() actor: Actor, @Body() body: RegisterPasskeyDto): Promise<RegisteredPasskeyDto> {
    await this.reauthentication.require(actor);
    const { passkey, ...more } = await this.mine.registerPasskey(actor, body.name, registrationOf(body.passkey, 'passkey'));
    return Object.assign(PasskeyDto.from(passkey), more);
  }

  @Patch('passkeys/:passkeyId')
  @Operation({ id: 'renamePasskey', summary: 'Rename a passkey', description: 'Changes what its owner calls it.' })
  @ApiOkResponse({ type: PasskeyDto, description: 'The passkey' })
  @ApiProblem('invalid', 'not-found')
  async renamePasskey(@CurrentActor() actor: Actor, @IdParam('passkeyId') id: string, @Body() body: RenamePasskeyDto): Promise<PasskeyDto> {
    return PasskeyDto.from(await this.mine.renamePasskey(actor, id, body.name));
  }

  @Delete('passkeys/:passkeyId')
  @HttpCode(204)
  @Operation({
    id: 'deletePasskey',
    summary: 'Delete a passkey',
    description:
      'Needs a fresh proof, see `reauthenticate`. It logs nobody in any more; with the last second factor the recovery codes go too.',
  })
  @ApiNoContentResponse({ description: 'It is gone' })
  @ApiProblem('invalid', 'forbidden', 'not-found', 'conflict')
  async deletePasskey(@CurrentActor() actor: Actor, @IdParam('passkeyId') id: string): Promise<void> {
    await this.reauthentication.require(actor);
    await this.mine.deletePasskey(actor, id);
  }
}
