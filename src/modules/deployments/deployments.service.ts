import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { asOwner, authorize, mayDo } from '../../auth/ability.js';
import type { Actor } from '../../auth/actor.js';
import { DomainError, notFound } from '../../common/domain-error.js';
import type { Transaction } from '../../common/transaction.js';
import { TransactionRunner, managerOf } from '../../database/transaction-runner.js';
import type { ServerEvent } from '../../http/event-streams.js';
import { type Page, type PageQuery, pageOf } from '../../http/pagination.js';
import { JobQueue } from '../../queue/job-queue.js';
import { AuditLog } from '../audit/audit-log.js';
import { AllocationsService } from '../nodes/allocations.service.js';
import type { ProjectRecord } from '../projects/domain/project.js';
import { ProjectsService } from '../projects/projects.service.js';
import { currentOf, type DeployGround, DeployPreparer } from './deploy-preparer.js';
import { cancelRequestedEvent, requestedEvent } from './deployment-audit.js';
import { DeploymentEvents } from './deployment-events.js';
import { Deployment } from './deployment.entity.js';
import { advanceDeployment } from './deployments.jobs.js';
import { deleteActions, restartActions, startActions, stopActions, stopEffects } from './domain/actions.js';
import { isCancellable } from './domain/decide.js';
import type { ComponentAction, DeploymentKind } from './domain/deployment.js';
import { eventsWithoutLogLines, withoutLogLines } from './log-visibility.js';
import { Orchestrator } from './orchestrator.js';
import { OrchestratorDriver } from './orchestrator.driver.js';

export interface DeploymentRequest {
  kind: DeploymentKind;
  /** Empty: all of the project. */
  components: string[];
  /** With `delete`: the data too. */
  purge?: boolean;
}

/** Seconds after which a job looks whether the deployment got lost; notifications are there long before. */
const NUDGE_DELAY = 15;

interface Work {
  actions: ComponentAction[];
  release: number | null;
  notes: string[];
}

/** Starts deployments and shows them; the orchestrator alone moves them. */
@Injectable()
export class DeploymentsService {
  constructor(
    @InjectRepository(Deployment) private readonly deployments: Repository<Deployment>,
    private readonly transactions: TransactionRunner,
    private readonly queue: JobQueue,
    private readonly projects: ProjectsService,
    private readonly allocations: AllocationsService,
    private readonly preparer: DeployPreparer,
    private readonly events: DeploymentEvents,
    private readonly orchestrator: Orchestrator,
    private readonly driver: OrchestratorDriver,
    private readonly audit: AuditLog,
  ) {}

  /** Starts a deployment; its first steps are in the same transaction. Throws `DEPLOYMENT_ALREADY_ACTIVE`. */
  async start(actor: Actor, projectId: string, request: DeploymentRequest): Promise<Deployment> {
    const project = await this.projects.require(actor, projectId, actionOf(request.kind));
    if (request.kind === 'deploy' && request.components.length > 0) throw deployIsWhole();
    assertIdle(project);
    const ground = request.kind === 'deploy' ? await this.preparer.ground(project) : undefined;
    const { id, wakeAt } = await this.transactions.run((tx) => this.begin(tx, actor, projectId, request, ground));
    this.driver.wake(id, wakeAt);
    return this.deployments.findOneByOrFail({ id });
  }

  /** Turns a deployment back, if it still can be. Throws `DEPLOYMENT_OVER`, `DEPLOYMENT_LIVE`. */
  async cancel(actor: Actor, deploymentId: string): Promise<Deployment> {
    const found = await this.get(asOwner(actor), deploymentId);
    await this.projects.require(actor, found.projectId, actionOf(found.kind));
    const wakeAt = await this.transactions.run((tx) => this.cancelLocked(tx, found));
    this.driver.wake(deploymentId, wakeAt);
    return this.deployments.findOneByOrFail({ id: deploymentId });
  }

  async list(actor: Actor, projectId: string, page: PageQuery): Promise<Page<Deployment>> {
    const project = await this.projects.require(actor, projectId, 'read');
    const found = await pageOf(this.deployments.createQueryBuilder('deployment').where({ projectId }), page, 'DESC');
    return mayDo(actor, 'read-logs', 'Project', project) ? found : { ...found, items: found.items.map(withoutLogLines) };
  }

  /** A deployment of a team that `actor` may see, without log lines unless they may read those; that of a deleted project too. */
  async get(actor: Actor, deploymentId: string): Promise<Deployment> {
    const { deployment, logs } = await this.look(actor, deploymentId);
    return logs ? deployment : withoutLogLines(deployment);
  }

  /** Its history and what is to come, for as long as the signal stands. */
  async follow(actor: Actor, deploymentId: string, after: number, signal: AbortSignal): Promise<AsyncIterable<ServerEvent>> {
    const { logs } = await this.look(actor, deploymentId);
    const events = this.events.follow(deploymentId, after, signal);
    return logs ? events : eventsWithoutLogLines(events);
  }

  private async look(actor: Actor, deploymentId: string): Promise<{ deployment: Deployment; logs: boolean }> {
    const deployment = await this.deployments.findOneBy({ id: deploymentId });
    if (deployment === null) throw notFound('deployment', deploymentId);
    const { projectId, teamId } = deployment;
    // What is gone counts as protected: that is the narrower reading.
    const row = { id: projectId, teamId, protected: await this.projects.isProtected(projectId) };
    authorize(actor, 'read', 'Project', row, { what: 'deployment', id: deploymentId });
    return { deployment, logs: mayDo(actor, 'read-logs', 'Project', row) };
  }

  private async begin(
    tx: Transaction,
    actor: Actor,
    projectId: string,
    request: DeploymentRequest,
    ground: DeployGround | undefined,
  ): Promise<{ id: string; wakeAt: Date | undefined }> {
    const manager = managerOf(tx);
    const project = await this.projects.lock(tx, projectId);
    if (project === null) throw notFound('project', projectId);
    // Whatever the project has become since it was looked at.
    authorize(actor, actionOf(request.kind), 'Project', project, { what: 'project', id: projectId });
    assertIdle(project);
    const work = await this.work(tx, project, request, ground, actor.userId);
    const deployment = manager.create(Deployment, {
      projectId,
      teamId: project.teamId,
      project: project.name,
      kind: request.kind,
      state: 'queued',
      stateSince: new Date(),
      release: work.release,
      scope: request.components,
      purge: request.purge ?? false,
      cancelRequested: false,
      requestedBy: actor.userId,
      actions: work.actions,
      failure: null,
      epoch: 0,
      lastEvent: 0,
      wakeAt: null,
      finishedAt: null,
    });
    await manager.insert(Deployment, deployment);
    await this.audit.record(tx, requestedEvent(deployment));
    await this.projects.setActive(tx, projectId, { deploymentId: deployment.id, kind: request.kind });
    const notes = work.notes.map((text) => ({ type: 'log' as const, data: { text } }));
    await this.events.append(tx, deployment.id, [{ type: 'state', data: { state: 'queued' } }, ...notes]);
    const wakeAt = await this.orchestrator.advanceLocked(tx, deployment);
    await this.queue.enqueue(advanceDeployment, { deploymentId: deployment.id }, { tx, delay: NUDGE_DELAY });
    return { id: deployment.id, wakeAt };
  }

  private async work(
    tx: Transaction,
    project: ProjectRecord,
    request: DeploymentRequest,
    ground: DeployGround | undefined,
    userId: string,
  ): Promise<Work> {
    if (ground !== undefined) return { ...(await this.preparer.prepare(tx, project, ground, userId)), notes: [] };
    const current = (await this.allocations.ofProjects([project.id], tx)).map(currentOf);
    const base = { release: project.release, notes: [] };
    switch (request.kind) {
      case 'start':
        return { ...base, actions: startActions(current, request.components) };
      case 'restart':
        return { ...base, actions: restartActions(current, request.components) };
      case 'stop': {
        const actions = stopActions(current, request.components);
        return { ...base, actions, notes: stopEffects(current, actions) };
      }
      case 'delete':
        return { ...base, actions: deleteActions(current) };
      case 'deploy':
        throw new TypeError('a deploy needs its ground');
    }
  }

  private async cancelLocked(tx: Transaction, found: Deployment): Promise<Date | undefined> {
    await this.projects.lock(tx, found.projectId);
    const deployment = await managerOf(tx).findOneByOrFail(Deployment, { id: found.id });
    if (deployment.finishedAt !== null) {
      throw new DomainError('conflict', 'DEPLOYMENT_OVER', `This deployment is over: it ${deployment.state}.`);
    }
    if (!isCancellable(deployment.kind, deployment.state)) {
      throw new DomainError('conflict', 'DEPLOYMENT_LIVE', `This deployment is ${deployment.state}; it cannot be cancelled any more.`, {
        fix: 'Wait until it is over.',
      });
    }
    deployment.cancelRequested = true;
    await this.audit.record(tx, cancelRequestedEvent(deployment));
    await managerOf(tx).update(Deployment, { id: deployment.id }, { cancelRequested: true });
    return this.orchestrator.advanceLocked(tx, deployment);
  }
}

function actionOf(kind: DeploymentKind): 'deploy' | 'operate' | 'delete' {
  if (kind === 'delete') return 'delete';
  return kind === 'deploy' ? 'deploy' : 'operate';
}

function deployIsWhole(): DomainError {
  return new DomainError('invalid', 'COMPONENTS_NOT_ALLOWED', 'A deploy concerns the whole project; only what changed is touched.', {
    faults: [
      {
        path: 'components',
        code: 'COMPONENTS_NOT_ALLOWED',
        message: 'not with kind "deploy"',
        fix: 'Leave `components` out, or use restart.',
      },
    ],
  });
}

function assertIdle(project: ProjectRecord): void {
  if (project.activeDeploymentId === null) return;
  throw new DomainError(
    'conflict',
    'DEPLOYMENT_ALREADY_ACTIVE',
    `A deployment of "${project.name}" is under way (${project.activity ?? 'deploy'}).`,
    {
      details: { deploymentId: project.activeDeploymentId },
      fix: `Wait until it is over, or cancel it: POST /api/v1/deployments/${project.activeDeploymentId}/cancel.`,
    },
  );
}
