import { Column, Entity, ForeignKey, Index, Unique } from 'typeorm';
import { BaseEntity } from '../../database/base.entity.js';
import type { OidcClaims } from './oidc-claims.js';

/** Whom an OIDC provider knows a user as. The subject is for good; the address is what the provider said last. */
@Entity('identities')
@Unique(['issuer', 'subject'])
export class Identity extends BaseEntity {
  @Index()
  @ForeignKey('users', { onDelete: 'CASCADE' })
  @Column('uuid')
  userId: string;

  @Column('text')
  issuer: string;

  @Column('text')
  subject: string;

  @Column({ type: 'text', nullable: true })
  email: string | null;

  /** Whether a group of the provider has made the user a platform administrator, so that leaving it takes that away. */
  @Column({ type: 'boolean', default: false })
  platformAdmin: boolean;

  @Column({ type: 'timestamptz', nullable: true })
  lastUsedAt: Date | null;
}

/** A membership that a group of the provider has given. What people gave by hand is not here, and stays. */
@Entity('group_roles')
@Unique(['userId', 'teamId'])
export class GroupRole extends BaseEntity {
  @ForeignKey('users', { onDelete: 'CASCADE' })
  @Column('uuid')
  userId: string;

  @Index()
  @ForeignKey('teams', { onDelete: 'CASCADE' })
  @Column('uuid')
  teamId: string;
}

/** A log-in that is under way at the provider. */
@Entity('oidc_authorizations')
export class OidcAuthorization extends BaseEntity {
  @Index('uq_oidc_authorizations_state_hash', { unique: true })
  @Column('bytea')
  stateHash: Buffer;

  /** Where the browser takes the code; null: it shows the code, to be copied. */
  @Column({ type: 'text', nullable: true })
  redirectUri: string | null;

  /** S256 of the secret of whoever began. */
  @Column('text')
  codeChallenge: string;

  @Column('timestamptz')
  expiresAt: Date;
}

/** Who came back from the provider, until whoever began fetches it with the code. */
@Entity('oidc_results')
export class OidcResult extends BaseEntity {
  @Index('uq_oidc_results_code_hash', { unique: true })
  @Column('bytea')
  codeHash: Buffer;

  @Column('text')
  codeChallenge: string;

  @Column('jsonb')
  claims: OidcClaims;

  @Column('timestamptz')
  expiresAt: Date;
}
