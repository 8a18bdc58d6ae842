import { ApiProperty } from '@nestjs/swagger';
import type { Session } from '../../../auth/sessions/session.entity.js';
import { pageDto } from '../../../http/pagination.js';

/** A log-in that has not ended. */
export class SessionDto {
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' })
  id: string;
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  createdAt: string;
  @ApiProperty({
    format: 'date-time',
    example: '2026-01-01T08:30:00.000Z',
    description: 'When its tokens were last refreshed, which is every few minutes while it is in use',
  })
  lastUsedAt: string;
  @ApiProperty({ example: '203.0.113.7', description: 'Network address, then' })
  address: string;
  @ApiProperty({ example: 'hithe-cli/1.0.0', description: 'What the client says of itself' })
  userAgent: string;
  @ApiProperty({ type: [String], example: ['password', 'totp'], description: 'With what it began' })
  methods: string[];
  @ApiProperty({ example: true, description: 'Whether this request belongs to it' })
  current: boolean;

  static from(session: Session, currentId: string | undefined): SessionDto {
    return {
      id: session.id,
      createdAt: session.createdAt.toISOString(),
      lastUsedAt: session.lastUsedAt.toISOString(),
      address: session.address,
      userAgent: session.userAgent,
      methods: session.methods,
      current: session.id === currentId,
    };
  }
}

/** One page of sessions. */
export class SessionPageDto extends pageDto(SessionDto) {}

/** How many sessions have ended. */
export class EndedSessionsDto {
  @ApiProperty({ type: 'integer', example: 2 })
  endedSessions: number;
}
