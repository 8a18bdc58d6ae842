import { Body, Controller, Get, Header, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { Public, RequireAbility } from '../auth.decorators.js';
import { JwksDto, RotateSigningKeyDto, SigningKeyDto, SigningKeyListDto } from './signing-key.dto.js';
import { SigningKeys } from './signing-keys.js';

/** The keys that sign access tokens. */
@ApiTags('keys')
@Controller('auth')
export class SigningKeysController {
  constructor(private readonly keys: SigningKeys) {}

  @Get('jwks.json')
  @Header('Cache-Control', 'public, max-age=300')
  @Public()
  @Operation({
    id: 'getJwks',
    summary: 'Show the public keys',
    description:
      'A JSON Web Key Set (RFC 7517) of all keys whose access tokens are good now. Look again when a token names a key that is not in it.',
  })
  @ApiOkResponse({ type: JwksDto, description: 'The key set' })
  async jwks(): Promise<JwksDto> {
    return { keys: await this.keys.published() };
  }

  @Get('signing-keys')
  @RequireAbility('manage', 'Platform')
  @Operation({
    id: 'listSigningKeys',
    summary: 'List the signing keys',
    description: 'Never their private halves. Platform administrators only.',
  })
  @ApiOkResponse({ type: SigningKeyListDto, description: 'All keys that are kept, newest first' })
  async list(): Promise<SigningKeyListDto> {
    return { items: (await this.keys.list()).map((key) => SigningKeyDto.from(key)), nextCursor: null };
  }

  @Post('signing-keys')
  @RequireAbility('manage', 'Platform')
  @Operation({
    id: 'rotateSigningKeys',
    summary: 'Rotate the signing keys',
    description:
      'From now on a new key signs. Tokens of the one before stay good until they expire, or, if it has leaked, end with `endPrevious`; clients refresh theirs and nobody has to log in again. Platform administrators only.',
  })
  @ApiCreatedResponse({ type: SigningKeyDto, description: 'The new key' })
  @ApiProblem('invalid')
  async rotate(@Body() body: RotateSigningKeyDto): Promise<SigningKeyDto> {
    return SigningKeyDto.from(await this.keys.rotate({ endPrevious: body.endPrevious ?? false }));
  }
}
