import { Check, Column, Entity, ForeignKey, Index } from 'typeorm';
import { BaseEntity } from '../../database/base.entity.js';
import type { UserKind } from './user-kind.js';

/** A person with an account, or a service account of a team. `email` is lower-case and unique. */
@Entity('users')
@Check('ck_users_kind', `kind IN ('person', 'service')`)
@Check('ck_users_home_team_id', `(kind = 'service') = (home_team_id IS NOT NULL)`)
@Check('ck_users_password_hash', `kind = 'person' OR password_hash IS NULL`)
@Check('ck_users_platform_admin', `kind = 'person' OR NOT platform_admin`)
export class User extends BaseEntity {
  @Column({ type: 'text', unique: true })
  email: string;

  /** argon2id, encoded; null for whoever never logs in with a password. */
  @Column({ type: 'text', nullable: true })
  passwordHash: string | null;

  /** When a link that was sent to the address came back. */
  @Column({ type: 'timestamptz', nullable: true })
  emailVerifiedAt: Date | null;

  @Column({ type: 'text', default: 'person' })
  kind: UserKind;

  /** The one team that a service account is of. */
  @Index()
  @ForeignKey('teams', { onDelete: 'CASCADE' })
  @Column({ type: 'uuid', nullable: true })
  homeTeamId: string | null;

  @Column({ type: 'boolean', default: false })
  platformAdmin: boolean;

  @Column({ type: 'timestamptz', nullable: true })
  disabledAt: Date | null;
}
