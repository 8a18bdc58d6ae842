import { Check, Column, Entity, ForeignKey, Index } from 'typeorm';
import { BaseEntity } from '../../database/base.entity.js';
import type { Task } from '../../link/messages.js';

/** One-off work for a node; delivered at least once, carried out once for its id. */
@Entity('tasks')
@Check('ck_tasks_state', `state IN ('pending', 'done', 'failed')`)
@Index('ix_tasks_pending', ['nodeId'], { where: `state = 'pending'` })
export class NodeTask extends BaseEntity {
  @ForeignKey('nodes', { onDelete: 'CASCADE' })
  @Column('uuid')
  nodeId: string;

  @Column('jsonb')
  payload: Task;

  @Column({ type: 'text', default: 'pending' })
  state: 'pending' | 'done' | 'failed';

  @Column('timestamptz')
  deadlineAt: Date;

  @Column({ type: 'jsonb', nullable: true })
  result: unknown;

  @Column({ type: 'text', nullable: true })
  error: string | null;

  @Column({ type: 'timestamptz', nullable: true })
  finishedAt: Date | null;
}
