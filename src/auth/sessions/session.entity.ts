import { Column, Entity, ForeignKey, Index } from 'typeorm';
import { BaseEntity } from '../../database/base.entity.js';

/** One log-in: a family of refresh tokens that live and die together. */
@Entity('sessions')
export class Session extends BaseEntity {
  @Index()
  @ForeignKey('users', { onDelete: 'CASCADE' })
  @Column('uuid')
  userId: string;

  /** With what it began: `password`, `totp`, `passkey`, `oidc`, `invitation`, …; in the order in which they were shown. */
  @Column({ type: 'text', array: true, default: [] })
  methods: string[];

  /** Of the last log-in or refresh. */
  @Column({ type: 'timestamptz', default: () => 'now()' })
  lastUsedAt: Date;

  @Column({ type: 'text', default: '' })
  address: string;

  @Column({ type: 'text', default: '' })
  userAgent: string;

  /** Whether two factors were shown, at the log-in or since. */
  @Column({ type: 'boolean', default: false })
  secondFactor: boolean;

  /** When the user last proved again who they are, before they changed what they log in with. */
  @Column({ type: 'timestamptz', nullable: true })
  provedAt: Date | null;

  @Column({ type: 'timestamptz', nullable: true })
  revokedAt: Date | null;

  /** A `RevocationReason`. */
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
