import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** Health of one part of the platform. */
export class PartHealthDto {
  @ApiProperty({ example: true })
  ok: boolean;
  @ApiProperty({ example: 'PostgreSQL answers.' })
  message: string;
  @ApiPropertyOptional({ example: 'Look at control-plane.log.', description: 'What to do when it is not well' })
  fix?: string;
}

/** Health of each part. */
export class HealthPartsDto {
  @ApiProperty({ type: PartHealthDto })
  database: PartHealthDto;
  @ApiProperty({ type: PartHealthDto })
  queue: PartHealthDto;
  @ApiProperty({ type: PartHealthDto })
  agent: PartHealthDto;
  @ApiProperty({ type: PartHealthDto })
  isolation: PartHealthDto;
  @ApiProperty({ type: PartHealthDto })
  audit: PartHealthDto;
}

/** Health of the whole platform. */
export class HealthDto {
  @ApiProperty({ enum: ['ok', 'degraded'], example: 'ok', description: 'Whether every part is well' })
  status: 'ok' | 'degraded';
  @ApiProperty({ type: HealthPartsDto })
  parts: HealthPartsDto;
}
