import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, LessThanOrEqual, Or, Repository } from 'typeorm';
import type { Transaction } from '../../common/transaction.js';
import { TransactionRunner, managerOf } from '../../database/transaction-runner.js';
import { AuditLog } from '../audit/audit-log.js';
import { type AllocationChange, AllocationsService } from '../nodes/allocations.service.js';
import type { AllocationRecord } from '../nodes/domain/allocation.js';
import { LeasesService } from '../nodes/leases.service.js';
import { deletedEvent } from '../projects/project-audit.js';
import { ProjectsService } from '../projects/projects.service.js';
import { endedEvent } from './deployment-audit.js';
import { DeploymentEvents } from './deployment-events.js';
import { Deployment } from './deployment.entity.js';
import { decide } from './domain/decide.js';
import { deploymentMachine } from './domain/deployment.js';
import type { AllocationFacts, Decision, Situation } from './domain/situation.js';
import { eventsOf } from './domain/history.js';

/**
 * The only one that moves deployments. Each step is one transaction under the project's row lock: read the facts, decide,
 * write. Any process can take any step, so a killed one is replaced by whoever looks next.
 */
@Injectable()
export class Orchestrator {
  constructor(
    @InjectRepository(Deployment) private readonly deployments: Repository<Deployment>,
    private readonly transactions: TransactionRunner,
    private readonly projects: ProjectsService,
    private readonly allocations: AllocationsService,
    private readonly leases: LeasesService,
    private readonly events: DeploymentEvents,
    private readonly audit: AuditLog,
  ) {}

  /** Takes a deployment as far as it can go now. When to look again, or undefined when it is over. */
  advance(deploymentId: string): Promise<Date | undefined> {
    return this.transactions.run(async (tx) => {
      const known = await managerOf(tx).findOne(Deployment, { select: { projectId: true, finishedAt: true }, where: { id: deploymentId } });
      if (known === null || known.finishedAt !== null) return undefined;
      await this.projects.lock(tx, known.projectId);
      const deployment = await managerOf(tx).findOneBy(Deployment, { id: deploymentId });
      return deployment === null || deployment.finishedAt !== null ? undefined : this.advanceLocked(tx, deployment);
    });
  }

  /** The same, within a transaction that holds the project's lock. */
  async advanceLocked(tx: Transaction, deployment: Deployment): Promise<Date | undefined> {
    const rows = await this.allocations.ofProjects([deployment.projectId], tx);
    const decision = decide(situationOf(deployment, rows));
    await this.store(tx, deployment, decision, rows);
    return decision.wakeAt === undefined ? undefined : new Date(decision.wakeAt);
  }

  /** The active deployment of a project, if any. */
  async activeOf(projectId: string): Promise<string | undefined> {
    const found = await this.deployments.findOne({ select: { id: true }, where: { projectId, finishedAt: IsNull() } });
    return found?.id;
  }

  /** The deployments whose time to be looked at has come; with `all`, every one that is not over. */
  async due(all: boolean): Promise<string[]> {
    const wakeAt = all ? undefined : Or(IsNull(), LessThanOrEqual(new Date()));
    const found = await this.deployments.find({
      select: { id: true },
      where: { finishedAt: IsNull(), ...(wakeAt === undefined ? {} : { wakeAt }) },
    });
    return found.map((deployment) => deployment.id);
  }

  /** What the node has confirmed to be gone leaves the books, when no deployment waits for it. */
  async tidy(projectId: string): Promise<void> {
    const rows = await this.allocations.ofProjects([projectId]);
    if (!rows.some((row) => row.desired === 'removed')) return;
    await this.transactions.run(async (tx) => {
      const project = await this.projects.lock(tx, projectId);
      if (project?.activeDeploymentId === null) await this.allocations.discardRemoved(tx, projectId);
    });
  }

  private async store(tx: Transaction, deployment: Deployment, decision: Decision, rows: readonly AllocationRecord[]): Promise<void> {
    const events = eventsOf(deployment, decision);
    const wakeAt = decision.wakeAt === undefined ? null : new Date(decision.wakeAt);
    const idle = events.length === 0 && decision.writes.size === 0 && decision.discard.length === 0;
    if (idle && deployment.wakeAt?.getTime() === wakeAt?.getTime()) return;
    await this.allocations.apply(tx, changesOf(decision, rows), decision.discard);
    await this.save(tx, deployment, decision, wakeAt);
    await this.settle(tx, deployment, decision);
    await this.events.append(tx, deployment.id, events);
  }

  private async save(tx: Transaction, deployment: Deployment, decision: Decision, wakeAt: Date | null): Promise<void> {
    const over = deploymentMachine.isFinal(decision.state);
    const change = {
      state: decision.state,
      stateSince: new Date(decision.stateSince),
      actions: decision.actions,
      failure: decision.failure ?? null,
      wakeAt,
      epoch: deployment.epoch + 1,
      finishedAt: over ? new Date() : null,
    };
    const result = await managerOf(tx).update(Deployment, { id: deployment.id, epoch: deployment.epoch }, change);
    if (result.affected !== 1) throw new Error(`Deployment ${deployment.id} was moved by somebody else at epoch ${deployment.epoch}`);
  }

  /** What a decision means to the project. */
  private async settle(tx: Transaction, deployment: Deployment, decision: Decision): Promise<void> {
    const { projectId, kind, release } = deployment;
    if (decision.promote && release !== null) await this.projects.setRelease(tx, projectId, { release, deployFailed: false });
    if (!deploymentMachine.isFinal(decision.state)) return;
    await this.audit.record(tx, endedEvent(deployment, decision));
    if (kind === 'delete' && decision.state === 'succeeded') {
      await this.audit.record(tx, deletedEvent({ id: projectId, teamId: deployment.teamId, name: deployment.project }));
      await this.projects.remove(tx, projectId);
      return;
    }
    await this.projects.setActive(tx, projectId, null);
    if (kind !== 'deploy') return;
    if (decision.state !== 'succeeded') await this.projects.setRelease(tx, projectId, { deployFailed: true });
    const left = await this.allocations.ofProjects([projectId], tx);
    await this.leases.releaseUnused(tx, projectId, new Set(left.flatMap((row) => Object.values(row.listen).map((listen) => listen.port))));
  }
}

function situationOf(deployment: Deployment, rows: readonly AllocationRecord[]): Situation {
  return {
    kind: deployment.kind,
    state: deployment.state,
    stateSince: deployment.stateSince.getTime(),
    cancelRequested: deployment.cancelRequested,
    purge: deployment.purge,
    ...(deployment.failure === null ? {} : { failure: deployment.failure }),
    actions: deployment.actions,
    allocations: rows.map(factsOf),
    now: Date.now(),
  };
}

function factsOf(row: AllocationRecord): AllocationFacts {
  return {
    id: row.id,
    component: row.component,
    desired: row.desired,
    epoch: row.epoch,
    restartNonce: row.restartNonce,
    needs: row.needs,
    health: row.resolved.health,
    ...(row.observed === null ? {} : { observed: row.observed }),
    ...(row.healthySince === null ? {} : { healthySince: row.healthySince.getTime() }),
  };
}

function changesOf(decision: Decision, rows: readonly AllocationRecord[]): AllocationChange[] {
  return rows.flatMap((row) => {
    const write = decision.writes.get(row.id);
    return write === undefined ? [] : [{ id: row.id, epoch: row.epoch, ...write }];
  });
}
