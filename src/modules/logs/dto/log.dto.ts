import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { IsBoolean, IsInt, IsOptional, IsString, Max, Min } from 'class-validator';
import type { LogLine } from '../../../link/messages.js';

const DEFAULT_LINES = 100;
const MOST_LINES = 10_000;

/** Which lines to read. */
export class LogsQuery {
  @ApiPropertyOptional({ example: 'web', description: 'Only this component; all when absent' })
  @IsOptional()
  @IsString()
  component?: string;

  @ApiPropertyOptional({
    type: 'integer',
    example: 100,
    default: DEFAULT_LINES,
    minimum: 0,
    maximum: MOST_LINES,
    description: 'How many past lines, over all components',
  })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(MOST_LINES)
  lines: number = DEFAULT_LINES;

  @ApiPropertyOptional({ type: Boolean, example: false, default: false, description: 'Go on with every new line, as server-sent events' })
  @IsOptional()
  @Transform(({ value }: { value: unknown }) =>
    value === 'true' || value === '1' ? true : value === 'false' || value === '0' ? false : value,
  )
  @IsBoolean()
  follow?: boolean;
}

/** One line that a component wrote. */
export class LogLineDto implements LogLine {
  @ApiProperty({ example: 'web' })
  component: string;
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' })
  allocationId: string;
  @ApiProperty({ example: '2026-01-01T00:00:00.000000Z', description: 'When it was written, to the microsecond' })
  at: string;
  @ApiProperty({ example: 'listening on 20003' })
  text: string;
}

/** Past lines. */
export class LogLinesDto {
  @ApiProperty({ type: [LogLineDto], description: 'Oldest first' })
  items: LogLineDto[];
}
