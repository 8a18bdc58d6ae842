import { ApiProperty, ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import { IsIn, IsISO8601, IsOptional, IsString, IsUUID, Matches, MaxLength } from 'class-validator';
import { PageQuery, pageDto } from '../../../http/pagination.js';
import { ACTOR_KINDS, OUTCOMES, type ActorKind, type Outcome } from '../domain/audit-entry.js';
import type { AuditRecord } from '../domain/audit-record.js';

const ID = '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55';
const HASH = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

/** Which events are asked for, a page at a time. */
export class AuditQuery extends PageQuery {
  @ApiPropertyOptional({ description: 'Who did it: the id or the e-mail address of a user', example: 'zoe@example.org' })
  @IsOptional()
  @IsString()
  @MaxLength(320)
  user?: string;

  @ApiPropertyOptional({ description: 'What was done: an action, or how it begins', example: 'project.' })
  @IsOptional()
  @Matches(/^[a-z0-9.-]{1,64}$/, { message: 'action is made of a-z, 0-9, "." and "-"' })
  action?: string;

  @ApiPropertyOptional({ enum: OUTCOMES, description: 'How it ended', example: 'denied' })
  @IsOptional()
  @IsIn(OUTCOMES)
  outcome?: Outcome;

  @ApiPropertyOptional({ format: 'uuid', description: 'Events of this team', example: ID })
  @IsOptional()
  @IsUUID()
  teamId?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'Events of this project', example: ID })
  @IsOptional()
  @IsUUID()
  projectId?: string;

  @ApiPropertyOptional({ description: 'What it was done to: the id or the name of anything', example: 'guestbook' })
  @IsOptional()
  @IsString()
  @MaxLength(320)
  subject?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'Not before this moment', example: '2026-01-31T00:00:00Z' })
  @IsOptional()
  @IsISO8601({ strict: true })
  since?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'Before this moment', example: '2026-02-01T00:00:00Z' })
  @IsOptional()
  @IsISO8601({ strict: true })
  until?: string;

  @ApiPropertyOptional({ description: 'Words in the action, the actor, the subject, the address or the request id', example: 'guest' })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  text?: string;
}

/** The same filters without pages, for what follows the log. */
export class AuditFilterQuery extends OmitType(AuditQuery, ['cursor', 'limit'] as const) {}

export const EXPORT_FORMATS = ['jsonl', 'csv'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** The filters of an export, and its form. */
export class AuditExportQuery extends AuditFilterQuery {
  @ApiPropertyOptional({ enum: EXPORT_FORMATS, default: 'jsonl', description: 'JSON lines, or CSV with a header', example: 'csv' })
  @IsOptional()
  @IsIn(EXPORT_FORMATS)
  format: ExportFormat = 'jsonl';

  @ApiPropertyOptional({
    enum: ['true', 'false'],
    default: 'false',
    description:
      'With `jsonl`: also number and hashes, nothing else, of the events in between that are filtered out or not yours to read, so that the chain can be followed',
    example: 'true',
  })
  @IsOptional()
  @IsIn(['true', 'false'])
  chain: 'true' | 'false' = 'false';
}

/** One event of the audit log. */
export class AuditEventDto {
  @ApiProperty({ type: 'integer', description: 'Counts from 1 without gaps, over all teams', example: 4711 })
  seq: number;
  @ApiProperty({ format: 'uuid', example: ID })
  id: string;
  @ApiProperty({ description: 'When, by the clock of the database', example: '2026-01-31T09:30:00.123456Z' })
  at: string;
  @ApiProperty({
    enum: ACTOR_KINDS,
    description: 'Who acted: a user, a service account, the platform itself, or nobody knows',
    example: 'user',
  })
  actorKind: ActorKind;
  @ApiProperty({ type: String, nullable: true, format: 'uuid', example: ID })
  actorId: string | null;
  @ApiProperty({ type: String, nullable: true, description: 'Their address at that time', example: 'zoe@example.org' })
  actorEmail: string | null;
  @ApiProperty({ type: String, nullable: true, format: 'uuid', description: 'The log-in that was used', example: ID })
  sessionId: string | null;
  @ApiProperty({ type: String, nullable: true, format: 'uuid', description: 'The API token that was used', example: null })
  tokenId: string | null;
  @ApiProperty({ type: String, nullable: true, description: 'The part of the platform that acted by itself', example: null })
  part: string | null;
  @ApiProperty({ type: String, nullable: true, description: 'Network address of the client', example: '192.0.2.7' })
  address: string | null;
  @ApiProperty({ type: String, nullable: true, description: 'As in the X-Request-Id of the answer', example: ID })
  requestId: string | null;
  @ApiProperty({ description: 'What was done', example: 'project.applied' })
  action: string;
  @ApiProperty({ enum: OUTCOMES, example: 'success' })
  outcome: Outcome;
  @ApiProperty({ type: String, nullable: true, format: 'uuid', description: 'Null: an event of the platform', example: ID })
  teamId: string | null;
  @ApiProperty({ type: String, nullable: true, format: 'uuid', example: ID })
  projectId: string | null;
  @ApiProperty({ description: 'What it was done to', example: 'project' })
  subjectType: string;
  @ApiProperty({ example: ID })
  subjectId: string;
  @ApiProperty({ type: String, nullable: true, description: 'Its name at that time', example: 'guestbook' })
  subjectName: string | null;
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'What was changed, as it was; secrets as keyed hashes',
    example: { specVersion: 1 },
  })
  before: unknown;
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'What was changed, as it is now',
    example: { specVersion: 2 },
  })
  after: unknown;
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true, example: null })
  details: unknown;
  @ApiProperty({ description: 'SHA-256 of the event before', example: HASH })
  previousHash: string;
  @ApiProperty({ description: 'SHA-256 of this event and the hash before it; docs/audit.md says how', example: HASH })
  hash: string;

  static from(record: AuditRecord): AuditEventDto {
    const parsed = (text: string | null): unknown => (text === null ? null : JSON.parse(text));
    return { ...record, before: parsed(record.before), after: parsed(record.after), details: parsed(record.details) };
  }
}

/** A page of events, newest first. */
export class AuditEventPageDto extends pageDto(AuditEventDto) {}
