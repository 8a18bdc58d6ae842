import { Check, Column, Entity, ForeignKey, Index, Unique } from 'typeorm';
import { BaseEntity } from '../../database/base.entity.js';
import { defineSealedColumn } from '../../vault/sealed-columns.js';
import type { FirstFactor } from './login-proof.js';

/** The authenticator app of a user; counts once it is confirmed. */
@Entity('totp_credentials')
@Unique(['userId'])
export class TotpCredential extends BaseEntity {
  @ForeignKey('users', { onDelete: 'CASCADE' })
  @Column('uuid')
  userId: string;

  /** The shared secret, sealed. */
  @Column('bytea')
  secret: Buffer;

  @Column({ type: 'timestamptz', nullable: true })
  confirmedAt: Date | null;

  /** The newest time step whose code was used; no older one is taken any more. */
  @Column({ type: 'integer', nullable: true })
  lastStep: number | null;
}

defineSealedColumn({ table: 'totp_credentials', column: 'secret' });

/** One of a user's recovery codes, by its hash. */
@Entity('recovery_codes')
@Unique(['userId', 'codeHash'])
export class RecoveryCode extends BaseEntity {
  @ForeignKey('users', { onDelete: 'CASCADE' })
  @Column('uuid')
  userId: string;

  @Column('bytea')
  codeHash: Buffer;

  @Column({ type: 'timestamptz', nullable: true })
  usedAt: Date | null;
}

/** A public key of a user's device. */
@Entity('passkeys')
@Unique(['credentialId'])
export class Passkey extends BaseEntity {
  @Index()
  @ForeignKey('users', { onDelete: 'CASCADE' })
  @Column('uuid')
  userId: string;

  /** base64url, as WebAuthn spells it. */
  @Column('text')
  credentialId: string;

  /** COSE. */
  @Column('bytea')
  publicKey: Buffer;

  /** Signatures that the device says it has made; 0 for those that do not count. A bigint, which the driver reads as text. */
  @Column('bigint')
  counter: string;

  @Column({ type: 'text', array: true })
  transports: string[];

  @Column('text')
  name: string;

  /** Whether the device's maker keeps a copy, so that it survives the device. */
  @Column('boolean')
  backedUp: boolean;

  @Column({ type: 'timestamptz', nullable: true })
  lastUsedAt: Date | null;
}

/** A log-in whose first proof was right and whose second one is awaited. */
@Entity('login_challenges')
@Check('ck_login_challenges_first_factor', `first_factor IN ('password', 'oidc')`)
export class LoginChallenge extends BaseEntity {
  @Index()
  @ForeignKey('users', { onDelete: 'CASCADE' })
  @Column('uuid')
  userId: string;

  @Index('uq_login_challenges_token_hash', { unique: true })
  @Column('bytea')
  tokenHash: Buffer;

  @Column('text')
  firstFactor: FirstFactor;

  @Column({ type: 'integer', default: 0 })
  attempts: number;

  @Column('timestamptz')
  expiresAt: Date;
}

export type WebauthnPurpose = 'register' | 'login' | 'second-factor';

/** A random value that a device is to sign, once. */
@Entity('webauthn_challenges')
@Check('ck_webauthn_challenges_purpose', `purpose IN ('register', 'login', 'second-factor')`)
export class WebauthnChallenge extends BaseEntity {
  @Index('uq_webauthn_challenges_challenge_hash', { unique: true })
  @Column('bytea')
  challengeHash: Buffer;

  @Column('text')
  purpose: WebauthnPurpose;

  /** Who may answer; null when anybody with a passkey may. */
  @Index()
  @ForeignKey('users', { onDelete: 'CASCADE' })
  @Column({ type: 'uuid', nullable: true })
  userId: string | null;

  @Column('timestamptz')
  expiresAt: Date;
}
