import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsEmail, IsIn, IsOptional, IsUUID, MaxLength, ValidateIf } from 'class-validator';
import { PROJECT_ROLES, type ProjectRole } from '../../../auth/actor.js';
import { pageDto } from '../../../http/pagination.js';
import type { Grant } from '../../teams/grants/project-grants.js';

const GRANT_ROLES = [...PROJECT_ROLES, 'custom'] as const;

/** The request to give a role on a project. */
export class PutGrantDto {
  @ApiPropertyOptional({ example: 'grace@example.org', description: 'Address of a member of the team; or `userId`' })
  @ValidateIf((body: PutGrantDto) => body.email !== undefined || body.userId === undefined)
  @IsEmail({ require_tld: false })
  @MaxLength(254)
  email?: string;

  @ApiPropertyOptional({
    format: 'uuid',
    example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c59',
    description: 'A member or service account of the team; or `email`',
  })
  @IsOptional()
  @IsUUID()
  userId?: string;

  @ApiPropertyOptional({ enum: PROJECT_ROLES, enumName: 'ProjectRole', example: 'developer', description: 'A built-in role; or `roleId`' })
  @ValidateIf((body: PutGrantDto) => body.role !== undefined || body.roleId === undefined)
  @IsIn(PROJECT_ROLES)
  role?: ProjectRole;

  @ApiPropertyOptional({
    format: 'uuid',
    example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c57',
    description: 'A custom role of the team; or `role`',
  })
  @IsOptional()
  @IsUUID()
  roleId?: string;
}

/** A role on one project. */
export class ProjectGrantDto {
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' })
  projectId: string;
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c59' })
  userId: string;
  @ApiProperty({ example: 'grace@example.org' })
  email: string;
  @ApiProperty({ enum: GRANT_ROLES, enumName: 'GrantRole', example: 'developer' })
  role: ProjectRole | 'custom';
  @ApiProperty({ type: String, format: 'uuid', nullable: true, example: null, description: 'The custom role, with `custom`' })
  roleId: string | null;
  @ApiProperty({ example: 'developer', description: 'The name of the role, built-in or custom' })
  roleName: string;
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  since: string;

  static from(grant: Grant): ProjectGrantDto {
    const { projectId, userId, email, role, roleId, roleName, since } = grant;
    return { projectId, userId, email, role, roleId, roleName, since: since.toISOString() };
  }
}

/** One page of grants. */
export class GrantPageDto extends pageDto(ProjectGrantDto) {}

/** The request to protect a project, or to end that. */
export class ProtectionDto {
  @ApiProperty({ example: true, description: 'Whether developers need a grant to change what runs' })
  @IsBoolean()
  protected: boolean;
}
