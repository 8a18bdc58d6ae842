import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBody, ApiHeader, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { Public } from '../../auth/auth.decorators.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { IdParam } from '../../http/id-param.js';
import { StartedByHookDto } from './dto/hook.dto.js';
import { HookReceiver } from './hook-receiver.js';

/** Where the deliveries of deploy hooks come in; their signature is their credential. */
@ApiTags('hooks')
@Controller('hooks')
export class HookReceiverController {
  constructor(private readonly receiver: HookReceiver) {}

  @Post(':hookId')
  @HttpCode(202)
  @Public()
  @Operation({
    id: 'deliverToHook',
    summary: 'Deliver to a deploy hook',
    description:
      'Deploys or restarts the project of the hook. Signed as the Standard Webhooks specification says, over the body as it is; the body itself may be anything. Each webhook-id works once.',
  })
  @ApiHeader({
    name: 'webhook-id',
    required: true,
    description: 'Id of this message, new for each intent',
    example: 'msg_2KWPBgLlAfxdpx2AI54pPJ85f4W',
  })
  @ApiHeader({
    name: 'webhook-timestamp',
    required: true,
    description: 'Seconds since 1970; at most five minutes from now',
    example: '1767225600',
  })
  @ApiHeader({
    name: 'webhook-signature',
    required: true,
    description: '`v1,` and the base64 of HMAC-SHA-256 over `<id>.<timestamp>.<body>`',
    example: 'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=',
  })
  @ApiBody({ required: false, schema: { type: 'object', additionalProperties: true, example: { ref: 'refs/heads/main' } } })
  @ApiAcceptedResponse({ type: StartedByHookDto, description: 'The deployment has begun' })
  @ApiProblem('invalid', 'unauthenticated', 'forbidden', 'conflict', 'rate', 'unavailable')
  receive(@IdParam('hookId') hookId: string, @Req() request: Request): Promise<StartedByHookDto> {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    return this.receiver.receive({ hookId, headers: request.headers, body, address: request.ip ?? '' });
  }
}
