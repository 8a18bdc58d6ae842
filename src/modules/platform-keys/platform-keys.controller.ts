import { Controller, Get, HttpCode, HttpStatus, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { RequireAbility } from '../../auth/auth.decorators.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { PlatformKeyPageDto } from './dto/platform-key.dto.js';
import { PlatformKeysService } from './platform-keys.service.js';

/** The keys that wrap every secret of the installation. */
@ApiTags('platform')
@Controller('platform/keys')
export class PlatformKeysController {
  constructor(private readonly keys: PlatformKeysService) {}

  @Get()
  @RequireAbility('manage', 'Platform')
  @Operation({
    id: 'listPlatformKeys',
    summary: 'List platform keys',
    description: 'Every key that can still decrypt, oldest first, with how much it wraps. The keys themselves never leave the server.',
  })
  @ApiOkResponse({ type: PlatformKeyPageDto, description: 'All keys' })
  async list(): Promise<PlatformKeyPageDto> {
    return PlatformKeyPageDto.of(await this.keys.list());
  }

  @Post('rotate')
  @HttpCode(HttpStatus.ACCEPTED)
  @RequireAbility('manage', 'Platform')
  @Operation({
    id: 'rotatePlatformKey',
    summary: 'Rotate the platform key',
    description: 'Makes a new key, and wraps all data keys by it in the background. Every secret stays readable throughout.',
  })
  @ApiAcceptedResponse({ type: PlatformKeyPageDto, description: 'All keys; the old ones wrap less and less' })
  @ApiProblem('unavailable')
  async rotate(): Promise<PlatformKeyPageDto> {
    return PlatformKeyPageDto.of(await this.keys.rotate());
  }

  @Post('retire')
  @HttpCode(HttpStatus.OK)
  @RequireAbility('manage', 'Platform')
  @Operation({
    id: 'retirePlatformKeys',
    summary: 'Delete old platform keys',
    description:
      'Refused while one of them wraps anything. Backups of the database that were made before the rotation cannot be read afterwards.',
  })
  @ApiOkResponse({ type: PlatformKeyPageDto, description: 'The keys that are left' })
  @ApiProblem('conflict', 'unavailable')
  async retire(): Promise<PlatformKeyPageDto> {
    return PlatformKeyPageDto.of(await this.keys.retire());
  }
}
