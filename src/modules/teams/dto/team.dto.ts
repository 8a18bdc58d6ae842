import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsEmail, IsOptional, IsString, Length, Matches, MaxLength } from 'class-validator';
import { IsPrintable } from '../../../http/printable.js';
import { ANY_ROLES, type Actor, type AnyRole, roleIn } from '../../../auth/actor.js';
import { pageDto } from '../../../http/pagination.js';
import { LONGEST_SLUG, SLUG_PATTERN } from '../team-slug.js';
import type { Team } from '../team.entity.js';

/** The request to found a team. */
export class CreateTeamDto {
  @ApiProperty({ example: 'Harbour crew', minLength: 1, maxLength: 100, description: 'Name for people' })
  @IsString()
  @Length(1, 100)
  @IsPrintable()
  name: string;

  @ApiPropertyOptional({
    example: 'harbour-crew',
    pattern: SLUG_PATTERN.source,
    maxLength: LONGEST_SLUG,
    description: 'Name for directories and commands; from the name when absent',
  })
  @IsOptional()
  @Matches(SLUG_PATTERN, { message: 'slug must be lower-case letters, digits and single hyphens, from a letter' })
  @MaxLength(LONGEST_SLUG)
  slug?: string;
}

/** The request to rename a team. */
export class UpdateTeamDto {
  @ApiProperty({ example: 'Harbour crew', minLength: 1, maxLength: 100, description: 'Name for people; the slug never changes' })
  @IsString()
  @Length(1, 100)
  @IsPrintable()
  name: string;
}

/** The confirmation of a deletion. */
export class DeleteTeamQuery {
  @ApiProperty({ example: 'harbour-crew', description: 'The slug of the team, typed again' })
  @IsString()
  @MaxLength(100)
  confirm: string;
}

/** The request to give a team to somebody. */
export class TransferTeamDto {
  @ApiProperty({ example: 'grace@example.org', description: 'Address of the user who shall own the team' })
  @IsEmail({ require_tld: false })
  @MaxLength(254)
  email: string;
}

/** A team, as the API shows one to a certain user. */
export class TeamDto {
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' })
  id: string;
  @ApiProperty({ example: 'harbour-crew' })
  slug: string;
  @ApiProperty({ example: 'Harbour crew' })
  name: string;
  @ApiProperty({ type: 'integer', example: 3, description: 'Number of the tenant: its uid is the first tenant uid plus this' })
  number: number;
  @ApiProperty({ example: false, description: "Whether it is a user's own team" })
  personal: boolean;
  @ApiProperty({
    enum: ANY_ROLES,
    enumName: 'AnyRole',
    nullable: true,
    example: 'owner',
    description: 'Role of the caller; null for a platform administrator who is no member',
  })
  role: AnyRole | null;
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  createdAt: string;

  static from(team: Team, role: AnyRole | null): TeamDto {
    return {
      id: team.id,
      slug: team.slug,
      name: team.name,
      number: team.number,
      personal: team.personalOf !== null,
      role,
      createdAt: team.createdAt.toISOString(),
    };
  }

  static for(actor: Actor, team: Team): TeamDto {
    return TeamDto.from(team, roleIn(actor, team.id) ?? null);
  }
}

/** One page of teams. */
export class TeamPageDto extends pageDto(TeamDto) {}
