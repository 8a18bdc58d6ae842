import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsOptional } from 'class-validator';
import { pageDto } from '../../http/pagination.js';
import type { SigningKey } from './signing-key.entity.js';

const KID = '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55';

/** The request to rotate. */
export class RotateSigningKeyDto {
  @ApiPropertyOptional({ example: false, description: 'Refuse the tokens of all earlier keys at once' })
  @IsOptional()
  @IsBoolean()
  endPrevious?: boolean;
}

/** A signing key. */
export class SigningKeyDto {
  @ApiProperty({ format: 'uuid', example: KID, description: 'The `kid` of its tokens' })
  id: string;
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  createdAt: string;
  @ApiProperty({ example: true, description: 'Whether it signs' })
  current: boolean;
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    example: null,
    description: 'When its last token has expired; null while it signs',
  })
  verifiesUntil: string | null;

  static from(key: SigningKey): SigningKeyDto {
    return {
      id: key.id,
      createdAt: key.createdAt.toISOString(),
      current: key.replacedAt === null,
      verifiesUntil: key.verifiesUntil?.toISOString() ?? null,
    };
  }
}

/** All signing keys: always one page. */
export class SigningKeyListDto extends pageDto(SigningKeyDto) {}

/** The public half of a key (RFC 7517). */
export class JwkDto {
  @ApiProperty({ example: 'EC' })
  kty: string;
  @ApiProperty({ example: 'P-256' })
  crv: string;
  @ApiProperty({ example: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU' })
  x: string;
  @ApiProperty({ example: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0' })
  y: string;
  @ApiProperty({ example: KID })
  kid: string;
  @ApiProperty({ example: 'sig' })
  use: string;
  @ApiProperty({ example: 'ES256' })
  alg: string;
}

/** A JSON Web Key Set. */
export class JwksDto {
  @ApiProperty({ type: [JwkDto] })
  keys: JwkDto[];
}
