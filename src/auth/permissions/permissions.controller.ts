import { Controller, Get, Headers, HttpStatus, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Operation } from '../../http/api.decorators.js';
import type { Actor } from '../actor.js';
import { Authenticated, CurrentActor } from '../auth.decorators.js';
import { PermissionsDto } from './permissions.dto.js';
import { permissionsOf } from './permissions.js';

/** What the caller may do, so that a client shows only what will work. */
@ApiTags('auth')
@Controller('me/permissions')
export class PermissionsController {
  @Get()
  @Authenticated({ token: 'any' })
  @Operation({
    id: 'getMyPermissions',
    summary: 'Show what I may do',
    description:
      'The rules by which the server decides, for this caller at this moment: roles, custom roles, grants, and the scopes of a token. With `If-None-Match` it answers 304 while they stay the same.',
  })
  @ApiHeader({ name: 'If-None-Match', required: false, description: 'The ETag that the client has', example: '"f2vKx0cJ1bB0m6t3mJ5hPw"' })
  @ApiOkResponse({
    type: PermissionsDto,
    description: 'The rules',
    headers: { ETag: { description: 'The version', schema: { type: 'string' }, example: '"f2vKx0cJ1bB0m6t3mJ5hPw"' } },
  })
  @ApiResponse({ status: 304, description: 'Still the same' })
  get(
    @CurrentActor() actor: Actor,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): PermissionsDto | undefined {
    const permissions = permissionsOf(actor);
    const tag = `"${permissions.version}"`;
    response.setHeader('ETag', tag).setHeader('Cache-Control', 'private, no-cache');
    if (known !== undefined && known.split(',').some((each) => each.trim() === tag)) {
      response.status(HttpStatus.NOT_MODIFIED);
      return undefined;
    }
    return PermissionsDto.from(permissions);
  }
}
