import { Column, Entity, ForeignKey, Unique } from 'typeorm';
import { BaseEntity } from '../database/base.entity.js';

/** A request that its sender may repeat, and its answer once there is one. */
@Entity('idempotency_keys')
@Unique(['userId', 'key'])
export class IdempotencyKey extends BaseEntity {
  @ForeignKey('users', { onDelete: 'CASCADE' })
  @Column('uuid')
  userId: string;

  @Column('text')
  key: string;

  @Column('bytea')
  requestHash: Buffer;

  /** Null while the request is being worked on. */
  @Column({ type: 'integer', nullable: true })
  status: number | null;

  @Column({ type: 'jsonb', nullable: true })
  body: unknown;
}
