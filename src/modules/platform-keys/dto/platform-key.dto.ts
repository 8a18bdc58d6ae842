import { ApiProperty } from '@nestjs/swagger';
import { pageDto } from '../../../http/pagination.js';
import type { PlatformKeyUse } from '../platform-keys.service.js';

/** A platform key, without the key. */
export class PlatformKeyDto {
  @ApiProperty({ example: '3f2a9c51b7d04e8895c6a1d2e3f40718', description: 'Made from the key, which it does not tell' })
  id: string;
  @ApiProperty({ example: true, description: 'Whether it wraps new data keys' })
  active: boolean;
  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  createdAt: string;
  @ApiProperty({ type: 'integer', example: 1204, description: 'How many data keys it wraps' })
  rows: number;

  static from({ id, active, createdAt, rows }: PlatformKeyUse): PlatformKeyDto {
    return { id, active, rows, createdAt: createdAt.toISOString() };
  }
}

/** All platform keys. */
export class PlatformKeyPageDto extends pageDto(PlatformKeyDto) {
  static of(keys: readonly PlatformKeyUse[]): PlatformKeyPageDto {
    return { items: keys.map((key) => PlatformKeyDto.from(key)), nextCursor: null };
  }
}
