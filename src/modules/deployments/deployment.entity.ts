import { Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';
import { BaseEntity } from '../../database/base.entity.js';
import type { ProjectSpec } from '../projects/domain/project-spec.js';
import type { ResolvedComponent } from '../projects/domain/resolved-component.js';
import type { ComponentAction, DeploymentKind, DeploymentState, Failure } from './domain/deployment.js';

/** An immutable, numbered snapshot of a project: its specification, exact versions, sources and versions of secrets. */
@Entity('releases')
@Unique(['projectId', 'number'])
export class Release extends BaseEntity {
  @ForeignKey('projects', { onDelete: 'CASCADE' })
  @Column('uuid')
  projectId: string;

  @Column('integer')
  number: number;

  @Column('json')
  spec: ProjectSpec;

  @Column('jsonb')
  components: ResolvedComponent[];

  @Column('uuid')
  createdBy: string;
}

/** The act of bringing a project to a release or another run state. Kept when the project is gone. */
@Entity('deployments')
@Index('uq_deployments_active', ['projectId'], { unique: true, where: 'finished_at IS NULL' })
export class Deployment extends BaseEntity {
  @Index()
  @Column('uuid')
  projectId: string;

  @ForeignKey('teams', { onDelete: 'CASCADE' })
  @Column('uuid')
  teamId: string;

  /** Name of the project. */
  @Column('text')
  project: string;

  @Column('text')
  kind: DeploymentKind;

  @Column('text')
  state: DeploymentState;

  @Column('timestamptz')
  stateSince: Date;

  @Column({ type: 'integer', nullable: true })
  release: number | null;

  /** The components that were asked for; empty: all. */
  @Column('jsonb')
  scope: string[];

  @Column({ type: 'boolean', default: false })
  purge: boolean;

  @Column({ type: 'boolean', default: false })
  cancelRequested: boolean;

  @Column('uuid')
  requestedBy: string;

  @Column('jsonb')
  actions: ComponentAction[];

  @Column({ type: 'jsonb', nullable: true })
  failure: Failure | null;

  /** Grows with every write of the orchestrator, which each name the one they follow. */
  @Column({ type: 'integer', default: 0 })
  epoch: number;

  /** Number of the last event. */
  @Column({ type: 'integer', default: 0 })
  lastEvent: number;

  /** When to look again, even if nobody says anything. */
  @Column({ type: 'timestamptz', nullable: true })
  wakeAt: Date | null;

  @Column({ type: 'timestamptz', nullable: true })
  finishedAt: Date | null;
}

export const EVENT_TYPES = ['state', 'component', 'log', 'end'] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** One line of a deployment's history; `seq` counts from 1 without gaps. */
@Entity('deployment_events')
export class DeploymentEvent {
  @ForeignKey(() => Deployment, { onDelete: 'CASCADE' })
  @PrimaryColumn('uuid')
  deploymentId: string;

  @PrimaryColumn('integer')
  seq: number;

  @Column('text')
  type: EventType;

  @Column('jsonb')
  data: Record<string, unknown>;

  @Column({ type: 'timestamptz', default: () => 'now()' })
  at: Date;
}
