import { Check, Column, Entity, ForeignKey, Unique } from 'typeorm';
import { BaseEntity } from '../../database/base.entity.js';
import { defineSealedColumn } from '../../vault/sealed-columns.js';

export const HOOK_KINDS = ['deploy', 'restart'] as const;
export type HookKind = (typeof HOOK_KINDS)[number];

export const DELIVERY_OUTCOMES = ['accepted', 'started', 'failed', 'refused'] as const;
export type DeliveryOutcome = (typeof DELIVERY_OUTCOMES)[number];

defineSealedColumn({ table: 'deploy_hooks', column: 'secret' });

/** An address that starts a deployment of one project, for whoever signs with its secret. */
@Entity('deploy_hooks')
@Unique(['projectId', 'name'])
@Check('ck_deploy_hooks_kind', `kind IN ('deploy', 'restart')`)
export class DeployHook extends BaseEntity {
  @ForeignKey('projects', { onDelete: 'CASCADE' })
  @Column('uuid')
  projectId: string;

  @Column('uuid')
  teamId: string;

  @Column('text')
  name: string;

  @Column('text')
  kind: HookKind;

  /** An envelope. */
  @Column('bytea')
  secret: Buffer;

  /** With whose right it acts: who made it, or made its present secret. */
  @Column('uuid')
  createdBy: string;

  @Column({ type: 'boolean', default: true })
  enabled: boolean;

  @Column('timestamptz')
  secretSince: Date;
}

/** What came in at a hook. */
@Entity('hook_deliveries')
@Unique(['hookId', 'webhookId'])
@Check('ck_hook_deliveries_outcome', `outcome IN ('accepted', 'started', 'failed', 'refused')`)
export class HookDelivery extends BaseEntity {
  @ForeignKey(() => DeployHook, { onDelete: 'CASCADE' })
  @Column('uuid')
  hookId: string;

  /** The sender's id of the message; null where no signature vouched for it. */
  @Column({ type: 'text', nullable: true })
  webhookId: string | null;

  @Column('text')
  outcome: DeliveryOutcome;

  /** Why it was refused or failed. */
  @Column({ type: 'text', nullable: true })
  code: string | null;

  @Column({ type: 'uuid', nullable: true })
  deploymentId: string | null;

  @Column({ type: 'text', nullable: true })
  address: string | null;
}
