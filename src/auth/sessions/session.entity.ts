import { Column, Entity, ForeignKey, Index } from 'typeorm';
import { BaseEntity } from '../../database/base.entity.js';

/** One log-in: a family of refresh tokens that live and die together. */
@Entity('sessions')
export class Session extends BaseEntity {
  @Index()
  @ForeignKey('users', { onDelete: 'CASCADE' })
  @Column('uuid')
  userId: string;

  @Column({ type: 'timestamptz', nullable: true })
  revokedAt: Date | null;

  /** `logout`, `refresh-token-reused` or `user-disabled`. */
  @Column({ type: 'text', nullable: true })
  revokedReason: string | null;
}

/** One refresh token of a session, by its hash; the token itself is known to its owner alone. */
@Entity('refresh_tokens')
export class RefreshToken extends BaseEntity {
  @Index()
  @ForeignKey(() => Session, { onDelete: 'CASCADE' })
  @Column('uuid')
  sessionId: string;

  @Index('uq_refresh_tokens_token_hash', { unique: true })
  @Column('bytea')
  tokenHash: Buffer;

  @Column('timestamptz')
  expiresAt: Date;

  @Column({ type: 'timestamptz', nullable: true })
  usedAt: Date | null;
}
