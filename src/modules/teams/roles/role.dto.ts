import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsObject, IsOptional, IsString, Length, Matches, MaxLength } from 'class-validator';
import { IsPrintable } from '../../../http/printable.js';
import { ACTIONS, type Action } from '../../../auth/ability.js';
import { CUSTOM_SUBJECTS, type CustomRule, type CustomSubject, MOST_RULES } from '../../../auth/custom-rules.js';
import { pageDto } from '../../../http/pagination.js';
import type { CustomRole } from '../team.entity.js';

/** The names of built-in roles are none for custom ones. */
const ROLE_NAME = /^(?!(?:owner|admin|developer|viewer|auditor|custom|platform-admin|machine-token)$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const NAME_RULE = 'name must be lower-case letters, digits and single hyphens, and not the name of a built-in role';

const EXAMPLE_RULES = [
  { action: ['read', 'read-logs', 'deploy', 'operate', 'update'], subject: 'Project' },
  { action: ['deploy', 'operate', 'update'], subject: 'Project', conditions: { protected: true }, inverted: true },
];

const RULES = {
  type: 'array' as const,
  items: { type: 'object' as const, additionalProperties: true },
  minItems: 1,
  maxItems: MOST_RULES,
  example: EXAMPLE_RULES,
  description:
    'CASL rules: `action` (one or a list), `subject` (Project, Team or AuditEvent), and for projects `conditions` {id: {$in: […]}, protected}; `inverted` takes away what rules before it gave. They hold in this team alone.',
};

/** The request to make a role. */
export class CreateRoleDto {
  @ApiProperty({ example: 'release-manager', maxLength: 50, pattern: ROLE_NAME.source, description: 'Name within the team' })
  @Matches(ROLE_NAME, { message: NAME_RULE })
  @MaxLength(50)
  @IsPrintable()
  name: string;

  @ApiPropertyOptional({ example: 'Deploys what is ready.', maxLength: 500, description: 'What the role is for' })
  @IsOptional()
  @IsString()
  @Length(0, 500)
  @IsPrintable()
  description?: string;

  @ApiProperty(RULES)
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_RULES)
  @IsObject({ each: true })
  rules: Record<string, unknown>[];
}

/** The request to change a role; what is absent stays. */
export class UpdateRoleDto {
  @ApiPropertyOptional({ example: 'release-manager', maxLength: 50, pattern: ROLE_NAME.source, description: 'Name within the team' })
  @IsOptional()
  @Matches(ROLE_NAME, { message: NAME_RULE })
  @MaxLength(50)
  @IsPrintable()
  name?: string;

  @ApiPropertyOptional({ example: 'Deploys what is ready.', maxLength: 500, description: 'What the role is for' })
  @IsOptional()
  @IsString()
  @Length(0, 500)
  @IsPrintable()
  description?: string;

  @ApiPropertyOptional(RULES)
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_RULES)
  @IsObject({ each: true })
  rules?: Record<string, unknown>[];
}

/** One rule, in the form in which it is kept. */
export class CustomRuleDto {
  @ApiProperty({ enum: ACTIONS, enumName: 'Action', isArray: true, example: ['read', 'deploy'], description: 'What may be done' })
  action: Action[];
  @ApiProperty({ enum: CUSTOM_SUBJECTS, enumName: 'CustomSubject', example: 'Project', description: 'To what' })
  subject: CustomSubject;
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    example: { protected: false },
    description: 'Only projects with these ids, only protected ones, or only others',
  })
  conditions?: Record<string, unknown>;
  @ApiPropertyOptional({ example: false, description: 'Takes away instead' })
  inverted?: boolean;

  static from(rule: CustomRule): CustomRuleDto {
    return {
      action: rule.action,
      subject: rule.subject,
      ...(rule.conditions === undefined ? {} : { conditions: { ...rule.conditions } }),
      ...(rule.inverted === true ? { inverted: true } : {}),
    };
  }
}

/** A role that a team made. */
export class RoleDto {
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c57' })
  id: string;
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' })
  teamId: string;
  @ApiProperty({ example: 'release-manager' })
  name: string;
  @ApiProperty({ example: 'Deploys what is ready.' })
  description: string;
  @ApiProperty({ type: [CustomRuleDto] })
  rules: CustomRuleDto[];
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  createdAt: string;
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  updatedAt: string;

  static from(role: CustomRole): RoleDto {
    return {
      id: role.id,
      teamId: role.teamId,
      name: role.name,
      description: role.description,
      rules: role.rules.map((rule) => CustomRuleDto.from(rule)),
      createdAt: role.createdAt.toISOString(),
      updatedAt: role.updatedAt.toISOString(),
    };
  }
}

/** One page of roles. */
export class RolePageDto extends pageDto(RoleDto) {}
