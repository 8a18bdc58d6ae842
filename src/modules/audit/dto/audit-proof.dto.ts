import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsISO8601,
  IsInt,
  IsOptional,
  IsString,
  IsUUID,
  Matches,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import type { ArchivedSegment } from '../audit-reader.js';
import type { Verification } from '../audit-verifier.js';
import { CHAIN_PROBLEMS, type ChainProblem } from '../domain/chain-check.js';

const ID = '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55';
const HASH = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const SIGNATURE = 'Vx0B8mXgqfWk8kPpE1q3yXbS1v0C2kzq1n5Hc2a0yqkJm1zP3b0mJYJ1bqT8m1Jb5v3b3m9W5b3m2u1cQy8BAw==';
const MOST_HEADS = 1_000;

/** A head of the chain that the installation signed. */
export class SignedHeadDto {
  @ApiProperty({ format: 'uuid', description: 'The installation', example: ID })
  @IsUUID()
  installation: string;

  @ApiProperty({ type: 'integer', description: 'Number of the event', example: 4711 })
  @IsInt()
  @Min(1)
  seq: number;

  @ApiProperty({ description: 'Its hash', example: HASH })
  @Matches(/^[0-9a-f]{64}$/)
  hash: string;

  @ApiProperty({ description: 'When it was signed', example: '2026-01-31T09:30:00.123Z' })
  @IsString()
  @MaxLength(40)
  at: string;

  @ApiProperty({ description: 'The key that signed it', example: '9f86d081884c7d65' })
  @IsString()
  @MaxLength(64)
  keyId: string;

  @ApiProperty({ description: 'Ed25519, base64', example: SIGNATURE })
  @IsString()
  @MaxLength(128)
  signature: string;
}

/** What to verify beside the log itself. */
export class VerifyAuditDto {
  @ApiPropertyOptional({
    type: [SignedHeadDto],
    description: 'Signed heads that you have kept yourself',
    maxItems: MOST_HEADS,
    example: [],
  })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MOST_HEADS)
  @ValidateNested({ each: true })
  @Type(() => SignedHeadDto)
  heads?: SignedHeadDto[];

  @ApiPropertyOptional({ description: 'Read the files of archived segments too', default: false, example: false })
  @IsOptional()
  @IsBoolean()
  archives?: boolean;
}

/** One thing that is wrong with the log. */
export class ChainProblemDto implements ChainProblem {
  @ApiProperty({ type: 'integer', description: 'The event where it is', example: 4711 })
  seq: number;
  @ApiProperty({
    enum: CHAIN_PROBLEMS,
    description:
      '`edited`: its content or place was changed · `missing`: deleted · `cut`: the end is gone · `head-mismatch`: not what was signed · `archive-damaged`: the file is not the one that was written',
    example: 'edited',
  })
  problem: ChainProblem['problem'];
  @ApiProperty({ example: 'Event 4711 (member.added) was edited: its content does not have its hash.' })
  message: string;
}

/** What a verification found. */
export class VerificationDto implements Verification {
  @ApiProperty({ description: 'Whether the log is whole', example: true })
  ok: boolean;
  @ApiProperty({ type: 'integer', description: 'Events whose hashes were made again', example: 4711 })
  checked: number;
  @ApiProperty({ type: 'integer', description: 'Signed heads that the log was compared with', example: 812 })
  heads: number;
  @ApiProperty({ type: 'integer', description: 'First event in the database; 0: none', example: 1 })
  from: number;
  @ApiProperty({ type: 'integer', description: 'Last event in the database; 0: none', example: 4711 })
  to: number;
  @ApiProperty({ type: 'integer', description: 'Events before those, in archives', example: 0 })
  archived: number;
  @ApiProperty({ type: [ChainProblemDto], description: 'The first problems, by event' })
  problems: ChainProblemDto[];
  @ApiProperty({ type: 'integer', description: 'How many problems there are', example: 0 })
  problemCount: number;
}

/** What it takes to check the log without this server. */
export class AuditKeysDto {
  @ApiProperty({ format: 'uuid', description: 'The installation, as signed heads name it', example: ID })
  installation: string;
  @ApiProperty({
    description: 'PEM of the Ed25519 keys that heads and archives were signed with',
    example: '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n',
  })
  publicKeys: string;
}

/** Up to when to archive. */
export class CreateArchiveDto {
  @ApiProperty({ format: 'date-time', description: 'Events before this moment leave the database', example: '2026-01-01T00:00:00Z' })
  @IsISO8601({ strict: true })
  before: string;
}

/** Events that have moved into a signed file. */
export class AuditSegmentDto {
  @ApiProperty({ type: 'integer', example: 1 })
  firstSeq: number;
  @ApiProperty({ type: 'integer', example: 4711 })
  lastSeq: number;
  @ApiProperty({ description: 'Hash before the first event', example: HASH })
  previousHash: string;
  @ApiProperty({ description: 'Hash of the last event', example: HASH })
  lastHash: string;
  @ApiProperty({ format: 'date-time', example: '2026-01-01T08:00:00.000Z' })
  firstAt: string;
  @ApiProperty({ format: 'date-time', example: '2026-01-31T09:30:00.000Z' })
  lastAt: string;
  @ApiProperty({
    description: 'In control/audit/archive; its manifest stands beside it',
    example: 'audit-000000000001-000000004711.jsonl.gz',
  })
  file: string;
  @ApiProperty({ example: HASH })
  fileSha256: string;
  @ApiProperty({ format: 'date-time', example: '2026-02-01T03:37:00.000Z' })
  archivedAt: string;

  static from(segment: ArchivedSegment): AuditSegmentDto {
    const { firstAt, lastAt, archivedAt, ...rest } = segment;
    return { ...rest, firstAt: firstAt.toISOString(), lastAt: lastAt.toISOString(), archivedAt: archivedAt.toISOString() };
  }
}

/** Every archived segment. */
export class AuditSegmentListDto {
  @ApiProperty({ type: [AuditSegmentDto], description: 'Oldest first' })
  items: AuditSegmentDto[];
  @ApiProperty({ type: String, nullable: true, description: 'Always null: all of them are here', example: null })
  nextCursor: string | null;
}
