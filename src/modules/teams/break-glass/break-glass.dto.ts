import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsString, Length, Max, Min } from 'class-validator';
import { IsPrintable } from '../../../http/printable.js';
import { pageDto } from '../../../http/pagination.js';
import type { BreakGlassCase } from './break-glass.service.js';

const LONGEST_MINUTES = 60;

/** The request to break the glass. */
export class BreakGlassDto {
  @ApiProperty({
    example: 'The team is unreachable and its database leaks addresses.',
    minLength: 10,
    maxLength: 1000,
    description: 'Why; the team’s owners read it',
  })
  @IsString()
  @Length(10, 1000)
  @IsPrintable()
  reason: string;

  @ApiProperty({ type: 'integer', example: 30, minimum: 1, maximum: LONGEST_MINUTES, description: 'How long it lasts' })
  @IsInt()
  @Min(1)
  @Max(LONGEST_MINUTES)
  minutes: number;
}

/** A case of broken glass. */
export class BreakGlassCaseDto {
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c58', description: 'Named in every event of its use' })
  id: string;
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' })
  teamId: string;
  @ApiProperty({ example: 'admin@example.org', description: 'The platform administrator who broke it' })
  email: string;
  @ApiProperty({ example: 'The team is unreachable and its database leaks addresses.' })
  reason: string;
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  createdAt: string;
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:30:00.000Z' })
  expiresAt: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null, description: 'When it was ended before its time' })
  endedAt: string | null;
  @ApiProperty({ example: true, description: 'Whether it still gives rights' })
  active: boolean;

  static from({ row, email }: BreakGlassCase): BreakGlassCaseDto {
    return {
      id: row.id,
      teamId: row.teamId,
      email,
      reason: row.reason,
      createdAt: row.createdAt.toISOString(),
      expiresAt: row.expiresAt.toISOString(),
      endedAt: row.endedAt?.toISOString() ?? null,
      active: row.endedAt === null && row.expiresAt > new Date(),
    };
  }
}

/** One page of cases. */
export class BreakGlassPageDto extends pageDto(BreakGlassCaseDto) {}
