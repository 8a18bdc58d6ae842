import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsIn, Matches } from 'class-validator';
import { pageDto } from '../../../http/pagination.js';
import { NAME_MESSAGE, NAME_PATTERN } from '../../tokens/token-names.js';
import {
  DELIVERY_OUTCOMES,
  type DeliveryOutcome,
  type DeployHook,
  HOOK_KINDS,
  type HookDelivery,
  type HookKind,
} from '../hook.entities.js';
import type { Started } from '../hook-receiver.js';
import type { SecretHook } from '../hooks.service.js';

const ID = '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55';

/** The request for a hook. */
export class CreateHookDto {
  @ApiProperty({ example: 'github', pattern: NAME_PATTERN.source, description: 'Unique in the project' })
  @Matches(NAME_PATTERN, { message: `name ${NAME_MESSAGE}` })
  name: string;

  @ApiProperty({ enum: HOOK_KINDS, enumName: 'HookKind', example: 'deploy', description: 'What a delivery starts' })
  @IsIn(HOOK_KINDS)
  kind: HookKind;
}

/** The request to switch a hook off or on. */
export class UpdateHookDto {
  @ApiProperty({ example: false, description: 'A hook that is off refuses every delivery' })
  @IsBoolean()
  enabled: boolean;
}

/** A deploy hook, as the API shows one: without its secret. */
export class HookDto {
  @ApiProperty({ format: 'uuid', example: ID })
  id: string;
  @ApiProperty({ format: 'uuid', example: ID })
  projectId: string;
  @ApiProperty({ example: 'github' })
  name: string;
  @ApiProperty({ enum: HOOK_KINDS, enumName: 'HookKind', example: 'deploy' })
  kind: HookKind;
  @ApiProperty({ example: `https://hithe.example.org/api/v1/hooks/${ID}`, description: 'Where deliveries go' })
  url: string;
  @ApiProperty({ example: true })
  enabled: boolean;
  @ApiProperty({ format: 'uuid', example: ID, description: 'The user with whose right it acts' })
  createdBy: string;
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  createdAt: string;
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z', description: 'When its present secret was made' })
  secretSince: string;

  static from(hook: DeployHook, publicUrl: string): HookDto {
    return {
      id: hook.id,
      projectId: hook.projectId,
      name: hook.name,
      kind: hook.kind,
      url: `${publicUrl}/api/v1/hooks/${hook.id}`,
      enabled: hook.enabled,
      createdBy: hook.createdBy,
      createdAt: hook.createdAt.toISOString(),
      secretSince: hook.secretSince.toISOString(),
    };
  }
}

/** A hook with its secret: the only time that anybody sees it. */
export class SecretHookDto extends HookDto {
  @ApiProperty({
    example: 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
    description: 'Shown this once; deliveries are signed with it as the Standard Webhooks specification says',
  })
  secret: string;

  static of({ hook, secret }: SecretHook, publicUrl: string): SecretHookDto {
    return Object.assign(new SecretHookDto(), HookDto.from(hook, publicUrl), { secret });
  }
}

/** One page of hooks. */
export class HookPageDto extends pageDto(HookDto) {}

/** What came in at a hook, and what became of it. */
export class HookDeliveryDto {
  @ApiProperty({ format: 'uuid', example: ID })
  id: string;
  @ApiProperty({
    nullable: true,
    type: String,
    example: 'msg_2KWPBgLlAfxdpx2AI54pPJ85f4W',
    description: 'null where no signature vouched for it',
  })
  webhookId: string | null;
  @ApiProperty({
    enum: DELIVERY_OUTCOMES,
    enumName: 'HookDeliveryOutcome',
    example: 'started',
    description: '`failed` may be sent again under its id; `refused` and `started` may not',
  })
  outcome: DeliveryOutcome;
  @ApiProperty({ nullable: true, type: String, example: 'DEPLOYMENT_ALREADY_ACTIVE', description: 'Why it was refused or failed' })
  code: string | null;
  @ApiProperty({ format: 'uuid', nullable: true, type: String, example: ID })
  deploymentId: string | null;
  @ApiProperty({ nullable: true, type: String, example: '198.51.100.7' })
  address: string | null;
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  receivedAt: string;

  static from(delivery: HookDelivery): HookDeliveryDto {
    const { id, webhookId, outcome, code, deploymentId, address, createdAt } = delivery;
    return { id, webhookId, outcome, code, deploymentId, address, receivedAt: createdAt.toISOString() };
  }
}

/** One page of deliveries. */
export class HookDeliveryPageDto extends pageDto(HookDeliveryDto) {}

/** What a delivery started. */
export class StartedByHookDto implements Started {
  @ApiProperty({ format: 'uuid', example: ID, description: 'Follow it at /api/v1/deployments/{id}' })
  deploymentId: string;
  @ApiProperty({ enum: HOOK_KINDS, enumName: 'HookKind', example: 'deploy' })
  kind: string;
}
