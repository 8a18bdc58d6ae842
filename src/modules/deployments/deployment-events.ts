import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, Repository } from 'typeorm';
import type { Transaction } from '../../common/transaction.js';
import { Notifications } from '../../database/notifications.js';
import { TransactionRunner, managerOf } from '../../database/transaction-runner.js';
import type { ServerEvent } from '../../http/event-streams.js';
import { Deployment, DeploymentEvent, type EventType } from './deployment.entity.js';
import { deploymentChanged } from './deployments.channels.js';

export interface NewEvent {
  type: EventType;
  data: Record<string, unknown>;
}

const BATCH = 500;

const INSERT = `
  INSERT INTO deployment_events (deployment_id, seq, type, data)
  SELECT $1, $2 + ordinality - 1, value ->> 'type', value -> 'data' FROM jsonb_array_elements($3::jsonb) WITH ORDINALITY`;

/** The history of deployments: written in order, and followed by anybody who watches. */
@Injectable()
export class DeploymentEvents {
  constructor(
    @InjectRepository(DeploymentEvent) private readonly events: Repository<DeploymentEvent>,
    private readonly transactions: TransactionRunner,
    private readonly notifications: Notifications,
  ) {}

  /** Appends to the history of a deployment. The counter's row lock makes numbers become visible in their order. */
  async append(tx: Transaction, deploymentId: string, events: readonly NewEvent[]): Promise<void> {
    if (events.length === 0) return;
    const counted = await managerOf(tx)
      .createQueryBuilder()
      .update(Deployment)
      .set({ lastEvent: () => `last_event + ${events.length}` })
      .where({ id: deploymentId })
      .returning('last_event')
      .execute();
    const [row] = counted.raw as { last_event: number }[];
    if (row === undefined) return;
    const first = row.last_event - events.length + 1;
    await tx.query(INSERT, [deploymentId, first, JSON.stringify(events)]);
    await this.notifications.notify(tx, deploymentChanged, { deploymentId });
  }

  /** The same in a transaction of its own. */
  async appendNow(deploymentId: string, events: readonly NewEvent[]): Promise<void> {
    await this.transactions.run((tx) => this.append(tx, deploymentId, events));
  }

  /** All events after `after`, those of the past at once and then each as it comes, until the deployment is over. */
  async *follow(deploymentId: string, after: number, signal: AbortSignal): AsyncGenerator<ServerEvent> {
    const bell = new Bell();
    const off = await this.notifications.on(deploymentChanged, (change) => {
      if (change.deploymentId === deploymentId) bell.ring();
    });
    const ring = (): void => {
      bell.ring();
    };
    const offReconnect = this.notifications.onReconnect(ring);
    signal.addEventListener('abort', ring, { once: true });
    try {
      for (let seen = after; !signal.aborted;) {
        bell.reset();
        const found = await this.events.find({ where: { deploymentId, seq: MoreThan(seen) }, order: { seq: 'ASC' }, take: BATCH });
        for (const event of found) {
          seen = event.seq;
          yield { id: event.seq, event: event.type, data: { ...event.data, at: event.at.toISOString() } };
          if (event.type === 'end') return;
        }
        if (found.length < BATCH) await bell.rung();
      }
    } finally {
      off();
      offReconnect();
      signal.removeEventListener('abort', ring);
    }
  }
}

/** Remembers that it was rung, so that a ring between two looks is not lost. */
class Bell {
  private rings = 0;
  private wake = (): void => undefined;

  ring(): void {
    this.rings += 1;
    this.wake();
  }

  reset(): void {
    this.rings = 0;
  }

  /** Resolves at once when it was rung since `reset`, otherwise with the next ring. */
  async rung(): Promise<void> {
    if (this.rings === 0) await new Promise<void>((resolve) => (this.wake = resolve));
  }
}
