import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString, Length, Matches, MaxLength, MinLength } from 'class-validator';
import { pageDto } from '../../http/pagination.js';
import type { Identity } from './oidc.entities.js';

const CODE = 'oidc-3q2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE';
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';

/** The request to log in at the OIDC provider. */
export class BeginOidcDto {
  @ApiProperty({
    example: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    description: 'base64url of the SHA-256 of a random secret of yours (PKCE, S256), with which you fetch the result',
  })
  @Matches(/^[A-Za-z0-9_-]{43}$/, { message: 'must be a SHA-256 in base64url' })
  codeChallenge: string;

  @ApiPropertyOptional({
    example: 'http://127.0.0.1:49200/',
    description: 'Where the browser takes the code: loopback, or a page of this installation. Absent: it shows the code, to be copied',
  })
  @IsOptional()
  @IsString()
  @MaxLength(2048)
  redirectUri?: string;
}

/** Where to log in. */
export class OidcAuthorizationDto {
  @ApiProperty({ example: 'https://login.example.org/authorize?client_id=hithe&response_type=code', description: 'Open it in a browser' })
  authorizationUrl: string;
  @ApiProperty({ type: 'integer', example: 600, description: 'Seconds in which the browser must come back' })
  expiresIn: number;
}

/** The result of a log-in at the OIDC provider, to be fetched. */
export class OidcCodeDto {
  @ApiProperty({ example: CODE, description: 'What the browser brought; it works once, for two minutes' })
  @IsString()
  @Length(1, 256)
  code: string;

  @ApiProperty({ example: VERIFIER, description: 'The secret whose SHA-256 the log-in began with' })
  @IsString()
  @MinLength(43)
  @MaxLength(128)
  codeVerifier: string;
}

/** The request to end a session at the provider too. */
export class OidcLogoutDto {
  @ApiProperty({
    type: String,
    nullable: true,
    example: 'https://login.example.org/logout?client_id=hithe',
    description: 'Open it in the browser; null when the provider has no such place',
  })
  logoutUrl: string | null;
}

/** An identity of the caller's at an OIDC provider. */
export class IdentityDto {
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55', description: 'Names it in requests' })
  id: string;
  @ApiProperty({ example: 'https://login.example.org/realms/harbour', description: 'The provider' })
  issuer: string;
  @ApiProperty({ example: 'f3b5c0a1-7d5e-4a38-9c55-2f0e8f1b6d11', description: 'What the provider calls the person, for good' })
  subject: string;
  @ApiProperty({ type: String, nullable: true, example: 'ada@example.org', description: 'The address that the provider told last' })
  email: string | null;
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z', description: 'When it was linked' })
  createdAt: string;
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    example: null,
    description: 'When it was last used to log in; null: never',
  })
  lastUsedAt: string | null;

  static from(identity: Identity): IdentityDto {
    return {
      id: identity.id,
      issuer: identity.issuer,
      subject: identity.subject,
      email: identity.email,
      createdAt: identity.createdAt.toISOString(),
      lastUsedAt: identity.lastUsedAt?.toISOString() ?? null,
    };
  }
}

/** One page of identities. */
export class IdentityPageDto extends pageDto(IdentityDto) {}
