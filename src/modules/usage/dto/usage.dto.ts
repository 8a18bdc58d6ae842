import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsISO8601, IsOptional, Matches } from 'class-validator';
import { PageQuery, pageDto } from '../../../http/pagination.js';
import { type UsageGroup, USAGE_GROUPS } from '../domain/usage-query.js';
import type { UsageRow } from '../usage.service.js';

const DAY = /^\d{4}-\d\d-\d\d$/;
const OF_A_TEAM = ['day', 'project', 'component'] as const;

/** The days that a question is about. */
export class UsageSpanQuery extends PageQuery {
  @ApiPropertyOptional({ format: 'date', example: '2026-01-01', description: 'First day, UTC; absent: the first of the month' })
  @IsOptional()
  @IsISO8601({ strict: true })
  @Matches(DAY, { message: 'from must be a day, YYYY-MM-DD' })
  from?: string;

  @ApiPropertyOptional({ format: 'date', example: '2026-01-31', description: 'Last day, included; absent: today' })
  @IsOptional()
  @IsISO8601({ strict: true })
  @Matches(DAY, { message: 'to must be a day, YYYY-MM-DD' })
  to?: string;
}

/** What a team's usage is summed up by. */
export class TeamUsageQuery extends UsageSpanQuery {
  @ApiPropertyOptional({ enum: OF_A_TEAM, example: 'project', default: 'day', description: 'What each line is about' })
  @IsOptional()
  @IsIn(OF_A_TEAM)
  by: (typeof OF_A_TEAM)[number] = 'day';
}

/** What the platform's usage is summed up by. */
export class PlatformUsageQuery extends UsageSpanQuery {
  @ApiPropertyOptional({ enum: USAGE_GROUPS, example: 'team', default: 'team', description: 'What each line is about' })
  @IsOptional()
  @IsIn(USAGE_GROUPS)
  by: UsageGroup = 'team';
}

/** The days and the form of an export. */
export class UsageExportQuery {
  @ApiPropertyOptional({ format: 'date', example: '2026-01-01', description: 'First day, UTC; absent: the first of the month' })
  @IsOptional()
  @IsISO8601({ strict: true })
  @Matches(DAY, { message: 'from must be a day, YYYY-MM-DD' })
  from?: string;

  @ApiPropertyOptional({ format: 'date', example: '2026-01-31', description: 'Last day, included; absent: today' })
  @IsOptional()
  @IsISO8601({ strict: true })
  @Matches(DAY, { message: 'to must be a day, YYYY-MM-DD' })
  to?: string;

  @ApiPropertyOptional({
    enum: ['csv', 'jsonl'],
    example: 'csv',
    default: 'csv',
    description: 'CSV with a head line, or one JSON object per line',
  })
  @IsOptional()
  @IsIn(['csv', 'jsonl'])
  format: 'csv' | 'jsonl' = 'csv';
}

/** One line of usage; of `day`, `team`, `project` and `component` it has those that it is about. */
export class UsageDto implements UsageRow {
  @ApiPropertyOptional({ format: 'date', example: '2026-01-31', description: 'UTC' })
  day?: string;
  @ApiPropertyOptional({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56' })
  teamId?: string;
  @ApiPropertyOptional({ example: 'shop', description: 'Slug' })
  team?: string;
  @ApiPropertyOptional({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55', description: 'It may be deleted' })
  projectId?: string;
  @ApiPropertyOptional({ example: 'guestbook' })
  project?: string;
  @ApiPropertyOptional({ example: 'web' })
  component?: string;
  @ApiProperty({ example: 5_210.4, description: 'Processor time in seconds, of all processes' })
  cpuSeconds: number;
  @ApiProperty({ example: 12.25, description: 'Memory in GB (2³⁰ bytes) times hours; shared memory counts once' })
  memoryGbHours: number;
  @ApiProperty({ example: 48, description: 'Stored data in GB (2³⁰ bytes) times hours' })
  storedGbHours: number;
  @ApiProperty({ type: 'integer', example: 2_147_483_648, description: 'Most bytes stored on one of the days' })
  storedMostBytes: number;
}

/** One page of usage. */
export class UsagePageDto extends pageDto(UsageDto) {}
