import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';

/** What one component used on one day (UTC). Outlives its project: bills are made of it. */
@Entity('usage_daily')
@Index('ix_usage_daily_day', ['day'])
export class UsageDay {
  @PrimaryColumn('uuid')
  teamId: string;

  @PrimaryColumn('date')
  day: string;

  @PrimaryColumn('uuid')
  projectId: string;

  @PrimaryColumn('text')
  component: string;

  /** Slug of the team and name of the project, as they were. */
  @Column('text')
  team: string;

  @Column('text')
  project: string;

  @Column('double precision')
  cpuSeconds: number;

  @Column('double precision')
  memoryByteSeconds: number;

  @Column('double precision')
  storedByteSeconds: number;

  /** Most bytes that were stored at a time; text, as the driver gives a bigint. */
  @Column('bigint')
  storedMostBytes: string;
}

/** How far the reports of one agent's journal have been added up: each counts once. */
@Entity('usage_streams')
export class UsageStream {
  @ForeignKey('nodes', { onDelete: 'CASCADE' })
  @PrimaryColumn('uuid')
  nodeId: string;

  @PrimaryColumn('uuid')
  stream: string;

  @Column('bigint')
  sequence: string;

  @Column({ type: 'timestamptz', default: () => 'now()' })
  updatedAt: Date;
}

/** How much a component's directory held when it was last measured. */
@Entity('component_storage')
export class ComponentStorage {
  @ForeignKey('projects', { onDelete: 'CASCADE' })
  @PrimaryColumn('uuid')
  projectId: string;

  @PrimaryColumn('text')
  component: string;

  @Index()
  @Column('uuid')
  teamId: string;

  @Column('bigint')
  bytes: string;

  @Column('timestamptz')
  measuredAt: Date;
}
