import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsUUID, Matches, ValidateIf } from 'class-validator';
import { ANY_ROLES, type AnyRole, PROJECT_ROLES, type ProjectRole } from '../../../auth/actor.js';
import { pageDto } from '../../../http/pagination.js';
import { NAME_MESSAGE, NAME_PATTERN } from '../../tokens/token-names.js';
import type { ServiceAccount } from '../service-accounts.service.js';

const ID = '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55';

/** The request to give a service account a role. */
export class UpdateServiceAccountDto {
  @ApiPropertyOptional({
    enum: PROJECT_ROLES,
    enumName: 'ProjectRole',
    example: 'developer',
    description: 'A built-in role, never owner: a team needs a person; or `roleId`',
  })
  @ValidateIf((body: UpdateServiceAccountDto) => body.role !== undefined || body.roleId === undefined)
  @IsIn(PROJECT_ROLES)
  role?: ProjectRole;

  @ApiPropertyOptional({ format: 'uuid', example: ID, description: 'A custom role of the team; or `role`' })
  @IsOptional()
  @IsUUID()
  roleId?: string;
}

/** The request for a service account. */
export class CreateServiceAccountDto extends UpdateServiceAccountDto {
  @ApiProperty({ example: 'deployer', pattern: NAME_PATTERN.source, description: 'Unique in the team' })
  @Matches(NAME_PATTERN, { message: `name ${NAME_MESSAGE}` })
  name: string;
}

/** A service account of a team, as the API shows one. */
export class ServiceAccountDto {
  @ApiProperty({ format: 'uuid', example: ID })
  id: string;
  @ApiProperty({ format: 'uuid', example: ID })
  teamId: string;
  @ApiProperty({ example: 'deployer' })
  name: string;
  @ApiProperty({ example: 'deployer@web-shop.service', description: 'Under which lists and the audit log name it; nobody can write to it' })
  email: string;
  @ApiProperty({
    enum: ANY_ROLES,
    enumName: 'AnyRole',
    nullable: true,
    example: 'developer',
    description: 'null when it was taken out of the team',
  })
  role: AnyRole | null;
  @ApiProperty({ type: String, format: 'uuid', nullable: true, example: null, description: 'The custom role, with `custom`' })
  roleId: string | null;
  @ApiProperty({ type: String, nullable: true, example: 'developer', description: 'The name of the role, built-in or custom' })
  roleName: string | null;
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  createdAt: string;

  static from({ user, teamId, member }: ServiceAccount): ServiceAccountDto {
    return {
      id: user.id,
      teamId,
      name: user.email.split('@', 1)[0] ?? user.email,
      email: user.email,
      role: member?.role ?? null,
      roleId: member?.roleId ?? null,
      roleName: member?.roleName ?? null,
      createdAt: user.createdAt.toISOString(),
    };
  }
}

/** One page of service accounts. */
export class ServiceAccountPageDto extends pageDto(ServiceAccountDto) {}
