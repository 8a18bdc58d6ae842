import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsEmail, IsString, MaxLength, MinLength } from 'class-validator';
import { UserDto } from '../modules/users/dto/user.dto.js';
import { ANY_ROLES, type AnyRole } from './actor.js';
import type { StoredToken } from './api-tokens/api-tokens.js';
import type { Grant } from './auth.service.js';
import { LONGEST_PASSWORD } from './passwords/password-policy.js';

/** The request to log in. */
export class LoginDto {
  @ApiProperty({ example: 'ada@example.org' })
  @IsEmail({ require_tld: false })
  @MaxLength(254)
  email: string;

  @ApiProperty({ example: 'correct horse battery staple', format: 'password' })
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_PASSWORD)
  password: string;
}

/** The request to refresh or to log out. */
export class RefreshTokenDto {
  @ApiProperty({
    example: 'hithe_rt_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE',
    description: 'The refresh token of the last log-in or refresh; each works once',
  })
  @IsString()
  @MinLength(1)
  @MaxLength(4096)
  refreshToken: string;
}

/** Tokens of a session. */
export class GrantDto {
  @ApiProperty({
    example: 'eyJhbGciOiJFUzI1NiJ9.eyJ0eXBlIjoiYWNjZXNzIn0.c2lnbmF0dXJl',
    description: 'Send it as `Authorization: Bearer …`',
  })
  accessToken: string;
  @ApiProperty({
    example: 'hithe_rt_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE',
    description: 'Exchange it once, before the access token expires',
  })
  refreshToken: string;
  @ApiProperty({ type: 'integer', example: 900, description: 'Seconds that the access token lives' })
  expiresIn: number;
  @ApiProperty({ type: UserDto })
  user: UserDto;

  static from(grant: Grant): GrantDto {
    return { accessToken: grant.accessToken, refreshToken: grant.refreshToken, expiresIn: grant.expiresIn, user: UserDto.from(grant.user) };
  }
}

/** A team of the caller's, with their role. */
export class MyTeamDto {
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' })
  id: string;
  @ApiProperty({ example: 'harbour-crew' })
  slug: string;
  @ApiProperty({ example: 'Harbour crew' })
  name: string;
  @ApiProperty({ enum: ANY_ROLES, enumName: 'AnyRole', example: 'owner' })
  role: AnyRole;
}

/** The API token with which the caller shows who they are. */
export class MyTokenDto {
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' })
  id: string;
  @ApiProperty({ example: 'github-actions' })
  name: string;
  @ApiProperty({ type: [String], example: ['read', 'deploy'] })
  scopes: string[];
  @ApiProperty({ format: 'uuid', nullable: true, type: String, example: null, description: 'The only team in which it acts' })
  teamId: string | null;
  @ApiProperty({ format: 'date-time', example: '2026-04-01T00:00:00.000Z' })
  expiresAt: string;

  static from(token: StoredToken): MyTokenDto {
    return { id: token.id, name: token.name, scopes: [...token.scopes], teamId: token.teamId, expiresAt: token.expiresAt.toISOString() };
  }
}

/** Who the caller is. */
export class MeDto {
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' })
  id: string;
  @ApiProperty({ example: 'ada@example.org' })
  email: string;
  @ApiProperty({ example: false })
  platformAdmin: boolean;
  @ApiProperty({ type: [MyTeamDto] })
  teams: MyTeamDto[];
  @ApiPropertyOptional({ type: MyTokenDto, description: 'Only when the request came with an API token' })
  token?: MyTokenDto;
}
