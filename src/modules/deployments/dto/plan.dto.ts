import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { Plan, PlanChange, PlanCheck, PlanVersion } from '../domain/plan.js';

/** What a deploy would do to a component. */
export class PlanChangeDto implements PlanChange {
  @ApiProperty({ example: 'db' })
  component: string;
  @ApiProperty({
    enum: ['create', 'update', 'restart', 'none', 'remove'],
    enumName: 'PlanAction',
    example: 'update',
    description: '`none`: it is not touched',
  })
  action: PlanChange['action'];
  @ApiProperty({ type: [String], example: ['version 17 → 18'] })
  reasons: string[];
}

/** Which version a component gets. */
export class PlanVersionDto implements PlanVersion {
  @ApiProperty({ example: 'db' })
  component: string;
  @ApiProperty({ example: 'postgres' })
  port: string;
  @ApiProperty({ example: '17' })
  version: string;
  @ApiPropertyOptional({ example: '17.6-0+deb13u1', description: 'The exact version, once it is installed' })
  resolvedVersion?: string;
  @ApiProperty({ example: true, description: 'Whether the node has it already' })
  installed: boolean;
}

/** The answer of one check. */
export class PlanCheckDto implements PlanCheck {
  @ApiProperty({ example: 'listen', description: 'What was checked; the code of a fault in the specification' })
  check: string;
  @ApiPropertyOptional({ example: 'web' })
  component?: string;
  @ApiProperty({ enum: ['ok', 'warn', 'error'], enumName: 'PlanCheckStatus', example: 'error' })
  status: PlanCheck['status'];
  @ApiProperty({ example: '8080 for "http" is held by "nginx" (pid 42) of uid 0 on 0.0.0.0.' })
  message: string;
  @ApiPropertyOptional({ example: 'Choose another network port with `listen`, or leave `listen` out to get a free one.' })
  fix?: string;
}

/** What a deploy would do. */
export class PlanDto implements Plan {
  @ApiProperty({ example: 'guestbook' })
  project: string;
  @ApiProperty({ type: [PlanChangeDto], description: 'By component; empty when the specification has faults' })
  changes: PlanChangeDto[];
  @ApiProperty({ type: [PlanVersionDto], description: 'Which versions would run' })
  versions: PlanVersionDto[];
  @ApiProperty({ type: [PlanCheckDto], description: 'Every check, failed or not' })
  checks: PlanCheckDto[];
  @ApiProperty({ example: true, description: 'Whether no check is an error' })
  ok: boolean;
}
