import { Check, Column, Entity, ForeignKey, Index, Unique } from 'typeorm';
import { BaseEntity } from '../../database/base.entity.js';
import type { ProjectSpec } from './domain/project-spec.js';
import type { Activity, ProjectRecord } from './domain/project.js';

/** A named set of components that a team owns. `spec` is what was applied last, secrets hidden. */
@Entity('projects')
@Check('ck_projects_activity', '(activity IS NULL) = (active_deployment_id IS NULL)')
@Unique(['teamId', 'name'])
@Index('ix_projects_team_id_id', ['teamId', 'id'])
export class Project extends BaseEntity implements ProjectRecord {
  @ForeignKey('teams')
  @Column('uuid')
  teamId: string;

  @Column('text')
  name: string;

  @Column('json')
  spec: ProjectSpec;

  /** Grows with every change of `spec`; its entity tag. */
  @Column({ type: 'integer', default: 1 })
  specVersion: number;

  /** Number of the release that runs, once one does. */
  @Column({ type: 'integer', nullable: true })
  release: number | null;

  /** Whether the last deploy failed. */
  @Column({ type: 'boolean', default: false })
  deployFailed: boolean;

  /** Whether developers need a grant to change what runs. */
  @Column({ type: 'boolean', default: false })
  protected: boolean;

  @Column({ type: 'uuid', nullable: true })
  activeDeploymentId: string | null;

  @Column({ type: 'text', nullable: true })
  activity: Activity | null;
}
