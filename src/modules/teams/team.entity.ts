import { Check, Column, Entity, ForeignKey, Index, Unique } from 'typeorm';
import type { AnyRole, ProjectRole } from '../../auth/actor.js';
import type { CustomRule } from '../../auth/custom-rules.js';
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

/** A role that a team made itself. */
@Entity('team_roles')
@Unique(['teamId', 'name'])
export class CustomRole extends BaseEntity {
  @ForeignKey(() => Team, { onDelete: 'CASCADE' })
  @Column('uuid')
  teamId: string;

  @Column('text')
  name: string;

  @Column('text')
  description: string;

  @Column('jsonb')
  rules: CustomRule[];
}

/** A user's role in a team. */
@Entity('memberships')
@Unique(['teamId', 'userId'])
@Check('ck_memberships_role', `role IN ('owner', 'admin', 'developer', 'viewer', 'auditor', 'custom')`)
@Check('ck_memberships_role_id', `(role = 'custom') = (role_id IS NOT NULL)`)
export class TeamMembership extends BaseEntity {
  @ForeignKey(() => Team, { onDelete: 'CASCADE' })
  @Column('uuid')
  teamId: string;

  @Index()
  @ForeignKey('users', { onDelete: 'CASCADE' })
  @Column('uuid')
  userId: string;

  @Column('text')
  role: AnyRole;

  /** With the role `custom`: which. */
  @Index()
  @ForeignKey(() => CustomRole)
  @Column({ type: 'uuid', nullable: true })
  roleId: string | null;
}

/** A role on one project, beside the role in its team. */
@Entity('project_grants')
@Unique(['projectId', 'userId'])
@Check('ck_project_grants_role', `role IN ('admin', 'developer', 'viewer', 'auditor', 'custom')`)
@Check('ck_project_grants_role_id', `(role = 'custom') = (role_id IS NOT NULL)`)
export class ProjectGrantRow extends BaseEntity {
  @ForeignKey('projects', { onDelete: 'CASCADE' })
  @Column('uuid')
  projectId: string;

  @Index()
  @ForeignKey('users', { onDelete: 'CASCADE' })
  @Column('uuid')
  userId: string;

  @Column('text')
  role: ProjectRole | 'custom';

  @Index()
  @ForeignKey(() => CustomRole)
  @Column({ type: 'uuid', nullable: true })
  roleId: string | null;
}

/** A time in which a platform administrator may reach into a team. */
@Entity('broken_glass')
export class BrokenGlass extends BaseEntity {
  @Index()
  @ForeignKey(() => Team, { onDelete: 'CASCADE' })
  @Column('uuid')
  teamId: string;

  @Index()
  @ForeignKey('users', { onDelete: 'CASCADE' })
  @Column('uuid')
  userId: string;

  @Column('text')
  reason: string;

  @Column('timestamptz')
  expiresAt: Date;

  @Column({ type: 'timestamptz', nullable: true })
  endedAt: Date | null;
}
