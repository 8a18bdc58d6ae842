import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsInt,
  IsOptional,
  IsString,
  IsUUID,
  Length,
  Matches,
  Max,
  Min,
} from 'class-validator';
import { IsPrintable } from '../../../http/printable.js';
import { DEFAULT_LIFE_DAYS, LONGEST_LIFE_DAYS, type StoredToken } from '../../../auth/api-tokens/api-tokens.js';
import type { Action, SubjectName } from '../../../auth/ability.js';
import { SCOPE_NAMES, type ScopeName } from '../../../auth/token-scopes.js';
import { pageDto } from '../../../http/pagination.js';

const MOST_SCOPES = 20;
const ID = '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55';

/** The request for a token of a service account. */
export class CreateServiceTokenDto {
  @ApiProperty({ example: 'github-actions', minLength: 1, maxLength: 100, description: 'What it is for; for people' })
  @IsString()
  @Length(1, 100)
  @Matches(/^\P{C}+$/u, { message: 'name must not hold control characters' })
  @IsPrintable()
  name: string;

  @ApiProperty({
    type: [String],
    example: ['read', 'deploy:web-shop/guestbook'],
    description:
      'What it may do, of what its owner may: `read`, `deploy`, `secret:write`. After a colon, the id or `team/name` of the only project; see listScopes',
  })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_SCOPES)
  @ArrayUnique()
  @IsString({ each: true })
  @Length(1, 200, { each: true })
  scopes: string[];

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: LONGEST_LIFE_DAYS,
    default: DEFAULT_LIFE_DAYS,
    example: DEFAULT_LIFE_DAYS,
    description: 'Days until it expires; there is no token without an end',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(LONGEST_LIFE_DAYS)
  expiresInDays: number = DEFAULT_LIFE_DAYS;
}

/** The request for a token of one's own. */
export class CreateTokenDto extends CreateServiceTokenDto {
  @ApiPropertyOptional({
    format: 'uuid',
    example: ID,
    description: 'The only team in which it acts; all of yours when absent. Scopes of a project set it to the team of that project',
  })
  @IsOptional()
  @IsUUID()
  teamId?: string;
}

/** An API token, as the API shows one: without the token. */
export class TokenDto {
  @ApiProperty({ format: 'uuid', example: ID })
  id: string;
  @ApiProperty({ example: 'github-actions' })
  name: string;
  @ApiProperty({ format: 'uuid', example: ID, description: 'The user or service account with whose rights it acts' })
  userId: string;
  @ApiProperty({ format: 'uuid', nullable: true, type: String, example: ID, description: 'The only team in which it acts' })
  teamId: string | null;
  @ApiProperty({ type: [String], example: ['read', `deploy:${ID}`] })
  scopes: string[];
  @ApiProperty({ format: 'date-time', example: '2026-04-01T00:00:00.000Z' })
  expiresAt: string;
  @ApiProperty({ example: false })
  expired: boolean;
  @ApiProperty({ format: 'date-time', nullable: true, type: String, example: '2026-01-02T08:30:00.000Z', description: 'To the minute' })
  lastUsedAt: string | null;
  @ApiProperty({ nullable: true, type: String, example: '198.51.100.7' })
  lastUsedAddress: string | null;
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  createdAt: string;
  @ApiProperty({ format: 'uuid', example: ID, description: 'The user who made it' })
  createdBy: string;

  static from(token: StoredToken): TokenDto {
    return {
      id: token.id,
      name: token.name,
      userId: token.userId,
      teamId: token.teamId,
      scopes: [...token.scopes],
      expiresAt: token.expiresAt.toISOString(),
      expired: token.expiresAt.getTime() <= Date.now(),
      lastUsedAt: token.lastUsedAt?.toISOString() ?? null,
      lastUsedAddress: token.lastUsedAddress,
      createdAt: token.createdAt.toISOString(),
      createdBy: token.createdBy,
    };
  }
}

/** A token that has just been made: the only time that anybody sees it. */
export class CreatedTokenDto extends TokenDto {
  @ApiProperty({
    example: 'hithe_pat_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0YM00h',
    description: 'Shown this once; send it as `Authorization: Bearer …`',
  })
  token: string;

  static of({ token, stored }: { token: string; stored: StoredToken }): CreatedTokenDto {
    return Object.assign(new CreatedTokenDto(), TokenDto.from(stored), { token });
  }
}

/** One page of tokens. */
export class TokenPageDto extends pageDto(TokenDto) {}

/** A right that a scope covers. */
export class ScopedRightDto {
  @ApiProperty({ example: 'deploy' })
  action: Action;
  @ApiProperty({ example: 'Project' })
  subject: SubjectName;
}

/** What a token can be allowed. */
export class ScopeDto {
  @ApiProperty({ enum: SCOPE_NAMES, enumName: 'ScopeName', example: 'deploy' })
  scope: ScopeName;
  @ApiProperty({ example: 'Change the specification of projects that exist, deploy, start, stop, restart.' })
  description: string;
  @ApiProperty({ type: [ScopedRightDto], description: 'The rights that it lets through, if the owner of the token has them' })
  rights: ScopedRightDto[];
}

/** All scopes. */
export class ScopeListDto {
  @ApiProperty({ type: [ScopeDto] })
  items: ScopeDto[];
  @ApiProperty({ type: String, nullable: true, example: null, description: 'Always null: the list is short' })
  nextCursor: string | null;
}
