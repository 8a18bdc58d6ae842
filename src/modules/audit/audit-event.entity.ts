import { Check, Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';
import type { ActorKind, Outcome } from './domain/audit-entry.js';

/** One event of the audit log. Number, time and hashes are the database's; nothing changes it afterwards. */
@Entity('audit_events')
@Unique(['id'])
@Index(['teamId', 'seq'])
@Index(['actorId', 'seq'])
@Index(['projectId', 'seq'])
@Index(['action', 'seq'])
@Index(['subjectId', 'seq'])
@Check('ck_audit_events_actor_kind', `actor_kind IN ('user', 'service', 'system', 'anonymous')`)
@Check('ck_audit_events_outcome', `outcome IN ('success', 'denied', 'failed')`)
export class AuditEvent {
  /** Counts from 1 without gaps. */
  @PrimaryColumn('bigint')
  seq: string;

  @Column('uuid')
  id: string;

  @Index()
  @Column('timestamptz')
  at: Date;

  @Column('text')
  actorKind: ActorKind;

  @Column({ type: 'uuid', nullable: true })
  actorId: string | null;

  @Column({ type: 'text', nullable: true })
  actorEmail: string | null;

  @Column({ type: 'uuid', nullable: true })
  sessionId: string | null;

  @Column({ type: 'uuid', nullable: true })
  tokenId: string | null;

  /** The part of the platform that acted by itself. */
  @Column({ type: 'text', nullable: true })
  part: string | null;

  @Column({ type: 'text', nullable: true })
  address: string | null;

  @Column({ type: 'text', nullable: true })
  requestId: string | null;

  @Column('text')
  action: string;

  @Column('text')
  outcome: Outcome;

  @Column({ type: 'uuid', nullable: true })
  teamId: string | null;

  @Column({ type: 'uuid', nullable: true })
  projectId: string | null;

  @Column('text')
  subjectType: string;

  @Column('text')
  subjectId: string;

  @Column({ type: 'text', nullable: true })
  subjectName: string | null;

  @Column({ type: 'json', nullable: true })
  before: unknown;

  @Column({ type: 'json', nullable: true })
  after: unknown;

  @Column({ type: 'json', nullable: true })
  details: unknown;

  @Column('bytea')
  previousHash: Buffer;

  @Column('bytea')
  hash: Buffer;
}

/** The end of the chain: one row, locked by whoever appends. */
@Entity('audit_head')
@Check('ck_audit_head_id', 'id')
export class AuditHead {
  @PrimaryColumn({ type: 'boolean', default: true })
  id: boolean;

  @Column('uuid')
  installationId: string;

  @Column({ type: 'bigint', default: 0 })
  seq: string;

  @Column('bytea')
  hash: Buffer;

  @Column({ type: 'timestamptz', default: () => 'now()' })
  at: Date;
}

/** Events that have left the table for a file: the ends of the segment, which the chain continues from. */
@Entity('audit_segments')
@Check('ck_audit_segments_order', 'first_seq <= last_seq')
export class AuditSegment {
  @PrimaryColumn('bigint')
  firstSeq: string;

  @Column('bigint')
  lastSeq: string;

  @Column('bytea')
  previousHash: Buffer;

  @Column('bytea')
  lastHash: Buffer;

  @Column('timestamptz')
  firstAt: Date;

  @Column('timestamptz')
  lastAt: Date;

  /** Name of the file in `control/audit/archive`. */
  @Column('text')
  file: string;

  @Column('bytea')
  fileSha256: Buffer;

  @Column({ type: 'timestamptz', default: () => 'clock_timestamp()' })
  archivedAt: Date;
}

/** How far a stream has come, which process serves it, and since when it fails. */
@Entity('audit_streams')
export class AuditStreamState {
  @PrimaryColumn('text')
  name: string;

  /** The last event that has arrived. */
  @Column({ type: 'bigint', default: 0 })
  cursor: string;

  /** The last event whose signed head has arrived, and when. */
  @Column({ type: 'bigint', default: 0 })
  headSeq: string;

  @Column({ type: 'timestamptz', nullable: true })
  headAt: Date | null;

  /** Failures in a row. */
  @Column({ type: 'integer', default: 0 })
  attempts: number;

  @Column({ type: 'timestamptz', nullable: true })
  failingSince: Date | null;

  @Column({ type: 'text', nullable: true })
  error: string | null;

  @Column({ type: 'uuid', nullable: true })
  leasedBy: string | null;

  @Column({ type: 'timestamptz', nullable: true })
  leasedUntil: Date | null;
}
