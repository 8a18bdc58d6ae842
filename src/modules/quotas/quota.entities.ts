import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { Limits } from './domain/quota.js';

/** The limits of every team that has none of its own; one row. */
@Entity('quota_defaults')
@Check('ck_quota_defaults_id', 'id = 1')
export class QuotaDefaults {
  @PrimaryColumn({ type: 'integer', default: 1 })
  id: number;

  @Column('jsonb')
  limits: Limits;

  @Column({ type: 'timestamptz', default: () => 'now()' })
  updatedAt: Date;
}

/** The limits of one team. */
@Entity('team_quotas')
export class TeamQuota {
  @ForeignKey('teams', { onDelete: 'CASCADE' })
  @PrimaryColumn('uuid')
  teamId: string;

  @Column('jsonb')
  limits: Limits;

  @Column({ type: 'timestamptz', default: () => 'now()' })
  updatedAt: Date;
}

/** What a project asks for, by the specification that was applied last. */
@Entity('project_demands')
export class ProjectDemand {
  @ForeignKey('projects', { onDelete: 'CASCADE' })
  @PrimaryColumn('uuid')
  projectId: string;

  @Index()
  @Column('uuid')
  teamId: string;

  @Column('integer')
  components: number;

  /** Bytes; text, as the driver gives a bigint. */
  @Column('bigint')
  memory: string;

  /** Cores. */
  @Column('double precision')
  cpu: number;

  @Column('integer')
  listenPorts: number;
}
