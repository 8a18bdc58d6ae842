import { Check, Column, Entity, ForeignKey, Index } from 'typeorm';
import type { TeamRole } from '../../auth/actor.js';
import { BaseEntity } from '../../database/base.entity.js';

/** Somebody who is asked to join a team, or the platform (without a team). The link's token is kept by its hash. */
@Entity('invitations')
@Check('ck_invitations_role', '(team_id IS NULL) = (role IS NULL)')
export class Invitation extends BaseEntity {
  @Index()
  @ForeignKey('teams', { onDelete: 'CASCADE' })
  @Column({ type: 'uuid', nullable: true })
  teamId: string | null;

  /** Lower-case. */
  @Index()
  @Column('text')
  email: string;

  @Column({ type: 'text', nullable: true })
  role: TeamRole | null;

  @Column({ type: 'bytea', unique: true })
  tokenHash: Buffer;

  @Index()
  @ForeignKey('users', { onDelete: 'SET NULL' })
  @Column({ type: 'uuid', nullable: true })
  invitedBy: string | null;

  @Column('timestamptz')
  expiresAt: Date;

  @Column({ type: 'timestamptz', nullable: true })
  acceptedAt: Date | null;

  @Column({ type: 'timestamptz', nullable: true })
  revokedAt: Date | null;
}
