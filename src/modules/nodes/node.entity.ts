import { Column, Entity, ForeignKey, Index, Unique } from 'typeorm';
import { BaseEntity } from '../../database/base.entity.js';
import type { NodeFacts } from '../../link/messages.js';

/** A machine with an agent. */
@Entity('nodes')
export class Node extends BaseEntity {
  @Column({ type: 'text', unique: true })
  name: string;

  /** SHA-256 of the credential, which has 256 bits of its own: no salt is needed. */
  @Column({ type: 'bytea', unique: true, select: false })
  credentialHash: Buffer;

  /** Grows with every change of what the node shall run. */
  @Column({ type: 'integer', default: 0 })
  generation: number;

  /** What the agent last said about its machine. */
  @Column({ type: 'jsonb', nullable: true })
  facts: NodeFacts | null;

  /** The link that is the node's present one; null after an orderly end. */
  @Column({ type: 'uuid', nullable: true })
  linkId: string | null;

  @Column({ type: 'timestamptz', nullable: true })
  connectedAt: Date | null;

  @Column({ type: 'timestamptz', nullable: true })
  lastSeenAt: Date | null;
}

/** The right of one endpoint of a component to a network port of a node; stable for as long as the component lives. */
@Entity('port_leases')
@Unique(['nodeId', 'address', 'port'])
export class PortLease extends BaseEntity {
  @ForeignKey(() => Node, { onDelete: 'CASCADE' })
  @Column('uuid')
  nodeId: string;

  @Column('text')
  address: string;

  @Column('integer')
  port: number;

  @Index()
  @ForeignKey('projects', { onDelete: 'CASCADE' })
  @Column('uuid')
  projectId: string;

  @Column('text')
  component: string;

  @Column('text')
  endpoint: string;
}
