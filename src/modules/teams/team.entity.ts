import { Check, Column, Entity, ForeignKey, Index, Unique } from 'typeorm';
import type { TeamRole } from '../../auth/actor.js';
import { BaseEntity } from '../../database/base.entity.js';

/** A team: who owns projects. To the operating system it is the tenant `number`. */
@Entity('teams')
export class Team extends BaseEntity {
  /** Name of the tenant's directory; unique, never changes. */
  @Column({ type: 'text', unique: true })
  slug: string;

  @Column('text')
  name: string;

  /** Offset from the first tenant uid; from 1 up, never used twice. */
  @Column({ type: 'integer', unique: true })
  number: number;

  /** The user whose own team this is. */
  @Column({ type: 'uuid', nullable: true, unique: true })
  personalOf: string | null;
}

/** A user's role in a team. */
@Entity('memberships')
@Unique(['teamId', 'userId'])
@Check('ck_memberships_role', `role IN ('owner', 'admin', 'developer', 'viewer')`)
export class TeamMembership extends BaseEntity {
  @ForeignKey(() => Team, { onDelete: 'CASCADE' })
  @Column('uuid')
  teamId: string;

  @Index()
  @ForeignKey('users', { onDelete: 'CASCADE' })
  @Column('uuid')
  userId: string;

  @Column('text')
  role: TeamRole;
}
