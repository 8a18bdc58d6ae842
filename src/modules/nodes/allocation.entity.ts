import { Check, Column, Entity, ForeignKey, Index } from 'typeorm';
import { BaseEntity } from '../../database/base.entity.js';
import type { ObservedAllocation } from '../../link/messages.js';
import type { ResolvedComponent } from '../projects/domain/resolved-component.js';
import type { AllocationRecord, DesiredState } from './domain/allocation.js';

/** One replica of a component on one node: what is wanted of it, and what the node last said. Secrets are not in here. */
@Entity('allocations')
@Check('ck_allocations_desired', `desired IN ('prepared', 'running', 'stopped', 'removed')`)
@Index('uq_allocations_running', ['projectId', 'component'], { unique: true, where: `desired = 'running'` })
export class Allocation extends BaseEntity implements AllocationRecord {
  @Index()
  @ForeignKey('nodes')
  @Column('uuid')
  nodeId: string;

  @Index()
  @ForeignKey('projects', { onDelete: 'CASCADE' })
  @Column('uuid')
  projectId: string;

  @Column('uuid')
  teamId: string;

  @Column('jsonb')
  tenant: { number: number; slug: string };

  @Column('text')
  project: string;

  @Column('text')
  component: string;

  @Column('integer')
  release: number;

  /** What it was made from. */
  @Column('jsonb')
  resolved: ResolvedComponent;

  /** Component → allocation that it reads from. */
  @Column('jsonb')
  needs: Record<string, string>;

  /** Endpoint → leased address. */
  @Column('jsonb')
  listen: Record<string, { address: string; port: number }>;

  @Column('text')
  desired: DesiredState;

  @Column({ type: 'boolean', default: false })
  purge: boolean;

  @Column({ type: 'integer', default: 1 })
  epoch: number;

  @Column({ type: 'integer', default: 0 })
  restartNonce: number;

  @Column({ type: 'jsonb', nullable: true })
  observed: ObservedAllocation | null;

  @Column({ type: 'timestamptz', nullable: true })
  observedAt: Date | null;

  /** Since when it is healthy without a break. */
  @Column({ type: 'timestamptz', nullable: true })
  healthySince: Date | null;
}
