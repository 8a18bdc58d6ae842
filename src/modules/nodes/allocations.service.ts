import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { DomainError } from '../../common/domain-error.js';
import type { Transaction } from '../../common/transaction.js';
import { TransactionRunner, managerOf } from '../../database/transaction-runner.js';
import type { DesiredAllocation, ObservedAllocation } from '../../link/messages.js';
import { SecretValues } from '../secrets/secret-values.js';
import { Allocation } from './allocation.entity.js';
import type { AllocationRecord, DesiredState, NewAllocation } from './domain/allocation.js';
import { Node } from './node.entity.js';
import { allocationsObserved } from './nodes.channels.js';
import { NodesService } from './nodes.service.js';

/** A change of what is wanted of one allocation, valid only while its epoch is still `epoch`. */
export interface AllocationChange {
  id: string;
  epoch: number;
  desired?: DesiredState;
  purge?: boolean;
  restartNonce?: number;
  needs?: Record<string, string>;
}

/** All that a node shall run, at one generation. */
export interface DesiredNode {
  generation: number;
  allocations: DesiredAllocation[];
}

/** What nodes shall run and what they say of it. Only the orchestrator changes what is wanted. */
@Injectable()
export class AllocationsService {
  constructor(
    @InjectRepository(Allocation) private readonly allocations: Repository<Allocation>,
    private readonly transactions: TransactionRunner,
    private readonly nodes: NodesService,
    private readonly secrets: SecretValues,
  ) {}

  /** Every allocation of these projects, those that are going included, oldest first. */
  ofProjects(projectIds: readonly string[], tx?: Transaction): Promise<AllocationRecord[]> {
    const repository = tx === undefined ? this.allocations : managerOf(tx).getRepository(Allocation);
    return repository.find({ where: { projectId: In([...projectIds]) }, order: { id: 'ASC' } });
  }

  /** Stores new allocations; their nodes prepare them. */
  async add(tx: Transaction, allocations: readonly NewAllocation[]): Promise<void> {
    await managerOf(tx).insert(
      Allocation,
      allocations.map((allocation) => managerOf(tx).create(Allocation, { ...allocation, desired: 'prepared' })),
    );
    for (const nodeId of new Set(allocations.map((allocation) => allocation.nodeId))) await this.nodes.desiredChanged(tx, nodeId);
  }

  /**
   * Writes what is wanted and takes away what is confirmed gone, in one step for the nodes. A row that somebody else changed
   * meanwhile makes all of it fail. Ends come before beginnings, so that no component is ever wanted twice.
   */
  async apply(tx: Transaction, changes: readonly AllocationChange[], discard: readonly string[]): Promise<void> {
    const touched = new Set<string>();
    const inOrder = [...changes].sort((a, b) => Number(a.desired === 'running') - Number(b.desired === 'running'));
    for (const change of inOrder) touched.add(await this.change(tx, change));
    if (discard.length > 0) {
      const gone = await managerOf(tx)
        .createQueryBuilder()
        .delete()
        .from(Allocation)
        .where({ id: In([...discard]) })
        .returning('node_id')
        .execute();
      for (const row of gone.raw as { node_id: string }[]) touched.add(row.node_id);
    }
    for (const nodeId of touched) await this.nodes.desiredChanged(tx, nodeId);
  }

  /** Takes away the rows of a project whose end the node has confirmed. */
  async discardRemoved(tx: Transaction, projectId: string): Promise<void> {
    const rows = await this.ofProjects([projectId], tx);
    const gone = rows.filter((row) => row.desired === 'removed' && row.observed?.state === 'removed' && row.observed.epoch >= row.epoch);
    if (gone.length > 0)
      await this.apply(
        tx,
        [],
        gone.map((row) => row.id),
      );
  }

  /** Stores what a node says about its allocations; unknown ones are left out. `full`: what it does not name, it does not have. */
  async observe(nodeId: string, observed: readonly ObservedAllocation[], now: Date): Promise<void> {
    if (observed.length === 0) return;
    await this.transactions.statement(OBSERVE, [nodeId, JSON.stringify(observed), now, allocationsObserved.name]);
  }

  /** The whole desired state of a node, secrets included: only for sending it to that node. */
  async desiredOf(nodeId: string): Promise<DesiredNode> {
    // One statement sees one moment: the generation fits the allocations.
    const node = (await this.allocations.manager
      .createQueryBuilder(Node, 'node')
      .select(['node.id', 'node.generation'])
      .leftJoinAndMapMany('node.allocations', Allocation, 'allocation', 'allocation.nodeId = node.id')
      .where({ id: nodeId })
      .orderBy('allocation.id', 'ASC')
      .getOneOrFail()) as Node & { allocations: Allocation[] };
    return { generation: node.generation, allocations: await Promise.all(node.allocations.map((row) => this.desired(row))) };
  }

  /** Whether an allocation of the node runs this archive; the team that owns it then. */
  async teamOfSource(nodeId: string, digest: string): Promise<string | null> {
    const found = await this.allocations
      .createQueryBuilder('allocation')
      .where({ nodeId })
      .andWhere(`allocation.resolved #>> '{source,digest}' = :digest`, { digest })
      .getOne();
    return found?.teamId ?? null;
  }

  /** The project and component of an allocation of this node. */
  async locate(nodeId: string, id: string): Promise<{ projectId: string; component: string } | null> {
    return this.allocations.findOne({ select: { projectId: true, component: true }, where: { id, nodeId } });
  }

  private async change(tx: Transaction, change: AllocationChange): Promise<string> {
    const { id, epoch, ...values } = change;
    const restarts = values.desired !== undefined || values.restartNonce !== undefined;
    const result = await managerOf(tx)
      .createQueryBuilder()
      .update(Allocation)
      .set({ ...values, epoch: epoch + 1, ...(restarts ? { healthySince: null } : {}) })
      .where({ id, epoch })
      .returning('node_id')
      .execute();
    const [row] = result.raw as { node_id: string }[];
    if (row !== undefined) return row.node_id;
    throw new DomainError('conflict', 'ALLOCATION_CHANGED', `The allocation ${id} was changed by somebody else.`);
  }

  private async desired(row: AllocationRecord): Promise<DesiredAllocation> {
    const { resolved } = row;
    const nothing = { vars: {}, env: {} };
    const secrets = row.desired === 'removed' ? nothing : await this.secrets.of(row, row.component, resolved);
    return {
      id: row.id,
      epoch: row.epoch,
      desired: row.desired,
      purge: row.purge,
      restartNonce: row.restartNonce,
      tenant: row.tenant,
      projectId: row.projectId,
      project: row.project,
      component: row.component,
      release: row.release,
      port: resolved.port,
      version: resolved.version,
      vars: { ...resolved.vars, ...secrets.vars },
      secretVars: Object.keys(secrets.vars),
      env: resolved.env,
      secretEnv: secrets.env,
      needs: row.needs,
      listen: row.listen,
      ...(resolved.source === undefined ? {} : { source: resolved.source }),
      health: resolved.health,
    };
  }
}

/** An observation that answers an older epoch than the one before is late, and dropped. Tells the channel $4 of the projects. */
const OBSERVE = `
  WITH news AS (SELECT (value ->> 'id')::uuid AS id, value FROM jsonb_array_elements($2::jsonb)),
  changed AS (UPDATE allocations a
  SET observed = news.value,
      observed_at = $3,
      updated_at = now(),
      healthy_since = CASE
        WHEN news.value ->> 'health' = 'healthy' AND news.value ->> 'state' = 'running'
          AND (news.value ->> 'epoch')::int >= a.epoch AND (news.value ->> 'restartNonce')::int >= a.restart_nonce
        THEN COALESCE(a.healthy_since, $3)
      END
  FROM news
  WHERE a.id = news.id AND a.node_id = $1 AND (news.value ->> 'epoch')::int >= COALESCE((a.observed ->> 'epoch')::int, 0)
  RETURNING a.project_id)
  SELECT pg_notify($4, json_build_object('projectId', project_id)::text) FROM (SELECT DISTINCT project_id FROM changed) AS projects`;
