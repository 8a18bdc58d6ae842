import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, Repository } from 'typeorm';
import { DomainError } from '../../common/domain-error.js';
import { newId } from '../../common/ids.js';
import { asSystem } from '../../common/request-context.js';
import { Notifications } from '../../database/notifications.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import { type PlanFacts, planFactsSchema, type Task } from '../../link/messages.js';
import { taskCreated, taskFinished } from './nodes.channels.js';
import { NodeTask } from './task.entity.js';

export interface TaskAnswer {
  ok: boolean;
  result?: unknown;
  error?: string | undefined;
}

const PLAN_FACTS_MS = 10_000;

/** One-off work for nodes: stored before it is sent, sent again until it is answered or too late. */
@Injectable()
export class TasksService implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('Tasks');
  private readonly waiting = new Map<string, () => void>();
  private readonly stops: (() => void)[] = [];

  constructor(
    @InjectRepository(NodeTask) private readonly tasks: Repository<NodeTask>,
    private readonly transactions: TransactionRunner,
    private readonly notifications: Notifications,
  ) {}

  async onModuleInit(): Promise<void> {
    this.stops.push(await this.notifications.on(taskFinished, ({ taskId }) => this.waiting.get(taskId)?.()));
    this.stops.push(
      this.notifications.onReconnect(() => {
        for (const look of this.waiting.values()) look();
      }),
    );
  }

  onApplicationShutdown(): void {
    for (const stop of this.stops) stop();
  }

  /** Facts for a plan; changes nothing on the node. Throws `NODE_SILENT` when it does not answer in time. */
  async planFacts(nodeId: string, closures: { port: string; version: string }[]): Promise<PlanFacts> {
    return planFactsSchema.parse(await asSystem('tasks', () => this.run(nodeId, { kind: 'plan-facts', closures }, PLAN_FACTS_MS)));
  }

  /** The tasks that the node has not answered and that still matter. */
  pendingOf(nodeId: string): Promise<NodeTask[]> {
    return this.tasks.find({ where: { nodeId, state: 'pending', deadlineAt: MoreThan(new Date()) }, order: { id: 'ASC' } });
  }

  async pending(taskId: string): Promise<NodeTask | null> {
    return this.tasks.findOneBy({ id: taskId, state: 'pending' });
  }

  /** Stores a node's answer; a second one changes nothing. */
  async finish(nodeId: string, taskId: string, answer: TaskAnswer): Promise<void> {
    await this.transactions.run(async (tx) => {
      const change = {
        state: answer.ok ? ('done' as const) : ('failed' as const),
        result: answer.result ?? null,
        error: answer.error ?? null,
        finishedAt: new Date(),
      };
      const found = await tx.findOneBy(NodeTask, { id: taskId, nodeId, state: 'pending' });
      if (found === null) return;
      await tx.save(Object.assign(found, change));
      await this.notifications.notify(tx, taskFinished, { taskId });
    });
  }

  private async run(nodeId: string, payload: Task, withinMs: number): Promise<unknown> {
    const id = newId();
    const woken = this.waitFor(id, withinMs);
    await this.transactions.run(async (tx) => {
      await tx.insert(NodeTask, { id, nodeId, payload, deadlineAt: new Date(Date.now() + withinMs) });
      await this.notifications.notify(tx, taskCreated, { nodeId, taskId: id });
    });
    await woken;
    const task = await this.tasks.findOneByOrFail({ id });
    await this.tasks.delete({ id });
    if (task.state === 'done') return task.result;
    if (task.state === 'failed') this.logger.warn(`Task ${payload.kind} failed on node ${nodeId}: ${task.error ?? 'no reason given'}`);
    const message =
      task.state === 'failed'
        ? `The node could not answer: ${task.error ?? 'no reason given'}`
        : `The node did not answer within ${withinMs / 1000} s.`;
    throw new DomainError('unavailable', 'NODE_SILENT', message, { fix: 'Check that the agent of the node runs (`hithe health`).' });
  }

  /** Resolves when somebody says that the task is finished, or when its time is over. */
  private waitFor(id: string, withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(done, withinMs);
      this.waiting.set(id, done);
    });
  }
}
