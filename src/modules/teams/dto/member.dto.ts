import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsEmail, IsIn, IsOptional, IsUUID, MaxLength, ValidateIf } from 'class-validator';
import { ANY_ROLES, type AnyRole, TEAM_ROLES, type TeamRole } from '../../../auth/actor.js';
import { pageDto } from '../../../http/pagination.js';
import { USER_KINDS, type UserKind } from '../../users/user-kind.js';
import type { Member } from '../team-members.service.js';

/** The request to add a member, or to change their role. */
export class PutMemberDto {
  @ApiProperty({ example: 'grace@example.org', description: 'Address of an existing user' })
  @IsEmail({ require_tld: false })
  @MaxLength(254)
  email: string;

  @ApiPropertyOptional({ enum: TEAM_ROLES, enumName: 'TeamRole', example: 'developer', description: 'A built-in role; or `roleId`' })
  @ValidateIf((body: PutMemberDto) => body.role !== undefined || body.roleId === undefined)
  @IsIn(TEAM_ROLES)
  role?: TeamRole;

  @ApiPropertyOptional({
    format: 'uuid',
    example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c57',
    description: 'A custom role of the team; or `role`',
  })
  @IsOptional()
  @IsUUID()
  roleId?: string;
}

/** A member of a team, as the API shows one. */
export class MemberDto {
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' })
  userId: string;
  @ApiProperty({ example: 'grace@example.org' })
  email: string;
  @ApiProperty({ enum: USER_KINDS, enumName: 'UserKind', example: 'person', description: 'A `service` acts with API tokens alone' })
  kind: UserKind;
  @ApiProperty({ enum: ANY_ROLES, enumName: 'AnyRole', example: 'developer' })
  role: AnyRole;
  @ApiProperty({ type: String, format: 'uuid', nullable: true, example: null, description: 'The custom role, with `custom`' })
  roleId: string | null;
  @ApiProperty({ example: 'developer', description: 'The name of the role, built-in or custom' })
  roleName: string;
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  since: string;

  static from(member: Member): MemberDto {
    return {
      userId: member.userId,
      email: member.email,
      kind: member.kind,
      role: member.role,
      roleId: member.roleId,
      roleName: member.roleName,
      since: member.since.toISOString(),
    };
  }
}

/** One page of members. */
export class MemberPageDto extends pageDto(MemberDto) {}
