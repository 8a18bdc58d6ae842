import { Check, Column, Entity, ForeignKey, Index } from 'typeorm';
import { BaseEntity } from '../../database/base.entity.js';

/** A long-lived credential of a person or a service account, by its hash; the token itself is known to its owner alone. */
@Entity('api_tokens')
@Check('ck_api_tokens_expires_at', `expires_at <= created_at + interval '366 days'`)
export class ApiToken extends BaseEntity {
  /** Whose rights it acts with. */
  @Index()
  @ForeignKey('users', { onDelete: 'CASCADE' })
  @Column('uuid')
  userId: string;

  /** The only team in which it acts; null: all of its owner's. */
  @Index()
  @ForeignKey('teams', { onDelete: 'CASCADE' })
  @Column({ type: 'uuid', nullable: true })
  teamId: string | null;

  @Column('text')
  name: string;

  @Index('uq_api_tokens_token_hash', { unique: true })
  @Column('bytea')
  tokenHash: Buffer;

  /** `read`, `deploy:<project id>`, … */
  @Column({ type: 'text', array: true })
  scopes: string[];

  @Column('timestamptz')
  expiresAt: Date;

  /** Who made it; another one than its owner for service accounts. */
  @Column('uuid')
  createdBy: string;

  /** To the minute. */
  @Column({ type: 'timestamptz', nullable: true })
  lastUsedAt: Date | null;

  @Column({ type: 'text', nullable: true })
  lastUsedAddress: string | null;

  @Column({ type: 'timestamptz', nullable: true })
  revokedAt: Date | null;
}
