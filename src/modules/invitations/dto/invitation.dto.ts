import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsEmail, IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min, MinLength } from 'class-validator';
import { TEAM_ROLES, type TeamRole } from '../../../auth/actor.js';
import { LONGEST_PASSWORD, SHORTEST_PASSWORD } from '../../../auth/passwords/password-policy.js';
import { pageDto } from '../../../http/pagination.js';
import type { InvitationView } from '../invitation-acceptance.js';
import type { Invitation } from '../invitation.entity.js';
import type { InvitationLink } from '../invitation-mails.js';

const ID = '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55';
const TOKEN = 'hithe_in_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE';
const DEFAULT_DAYS = 7;
const MOST_DAYS = 30;

/** The request to invite somebody to the platform. */
export class InviteDto {
  @ApiProperty({ example: 'grace@example.org', description: 'Only an account with this address can accept' })
  @IsEmail({ require_tld: false })
  @MaxLength(254)
  email: string;

  @ApiPropertyOptional({
    type: 'integer',
    example: DEFAULT_DAYS,
    minimum: 1,
    maximum: MOST_DAYS,
    description: `Days until the link expires; ${DEFAULT_DAYS} when absent`,
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MOST_DAYS)
  days?: number;

  /** With the default filled in. */
  static requestOf(body: InviteDto): { email: string; days: number } {
    return { email: body.email, days: body.days ?? DEFAULT_DAYS };
  }
}

/** The request to invite somebody to a team. */
export class InviteToTeamDto extends InviteDto {
  @ApiProperty({ enum: TEAM_ROLES, enumName: 'TeamRole', example: 'developer', description: 'A role that the caller may give' })
  @IsIn(TEAM_ROLES)
  role: TeamRole;
}

/** The token of an invitation. */
export class InvitationTokenDto {
  @ApiProperty({ example: TOKEN, description: 'What stands behind the # of the link' })
  @IsString()
  @MinLength(1)
  @MaxLength(128)
  token: string;
}

/** The request to accept an invitation with a new account. */
export class AcceptInvitationDto extends InvitationTokenDto {
  @ApiProperty({ example: 'correct horse battery staple', format: 'password', minLength: SHORTEST_PASSWORD, maxLength: LONGEST_PASSWORD })
  @IsString()
  @MaxLength(LONGEST_PASSWORD)
  password: string;
}

/** An open invitation. */
export class InvitationDto {
  @ApiProperty({ format: 'uuid', example: ID })
  id: string;
  @ApiProperty({ format: 'uuid', type: String, nullable: true, example: ID, description: 'Null: to the platform' })
  teamId: string | null;
  @ApiProperty({ example: 'grace@example.org' })
  email: string;
  @ApiProperty({ enum: TEAM_ROLES, enumName: 'TeamRole', nullable: true, example: 'developer' })
  role: TeamRole | null;
  @ApiProperty({ format: 'uuid', type: String, nullable: true, example: ID, description: 'The user who invited; null when they are gone' })
  invitedBy: string | null;
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  createdAt: string;
  @ApiProperty({ format: 'date-time', example: '2026-01-08T00:00:00.000Z' })
  expiresAt: string;

  static from(invitation: Invitation): InvitationDto {
    return {
      id: invitation.id,
      teamId: invitation.teamId,
      email: invitation.email,
      role: invitation.role,
      invitedBy: invitation.invitedBy,
      createdAt: invitation.createdAt.toISOString(),
      expiresAt: invitation.expiresAt.toISOString(),
    };
  }
}

/** An invitation that was just made, with its link. */
export class CreatedInvitationDto extends InvitationDto {
  @ApiProperty({ example: `https://hithe.example.org/invitation#${TOKEN}`, description: 'Works once; shown this once' })
  link: string;
  @ApiProperty({ example: false, description: 'Whether it was also mailed' })
  mailed: boolean;

  static of({ invitation, link, mailed }: InvitationLink): CreatedInvitationDto {
    return Object.assign(new CreatedInvitationDto(), InvitationDto.from(invitation), { link, mailed });
  }
}

/** A team as its invitations name it. */
export class InvitingTeamDto {
  @ApiProperty({ format: 'uuid', example: ID })
  id: string;
  @ApiProperty({ example: 'Harbour crew' })
  name: string;
}

/** What an invitation says to whoever holds its link. */
export class InvitationViewDto {
  @ApiProperty({ example: 'grace@example.org' })
  email: string;
  @ApiProperty({ type: InvitingTeamDto, nullable: true, description: 'Null: to the platform' })
  team: InvitingTeamDto | null;
  @ApiProperty({ enum: TEAM_ROLES, enumName: 'TeamRole', nullable: true, example: 'developer' })
  role: TeamRole | null;
  @ApiProperty({ type: String, nullable: true, example: 'ada@example.org' })
  invitedBy: string | null;
  @ApiProperty({ format: 'date-time', example: '2026-01-08T00:00:00.000Z' })
  expiresAt: string;
  @ApiProperty({ example: false, description: 'Whether to log in and accept, rather than to choose a password' })
  hasAccount: boolean;

  static from(view: InvitationView): InvitationViewDto {
    return { ...view, expiresAt: view.expiresAt.toISOString() };
  }
}

/** One page of invitations. */
export class InvitationPageDto extends pageDto(InvitationDto) {}
