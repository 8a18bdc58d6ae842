import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, Repository } from 'typeorm';
import { Bell } from '../../common/bell.js';
import type { Transaction } from '../../common/transaction.js';
import { Notifications } from '../../database/notifications.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import type { ServerEvent } from '../../http/event-streams.js';
import { DeploymentEvent, type EventType } from './deployment.entity.js';
import { deploymentChanged } from './deployments.channels.js';

export interface NewEvent {
  type: EventType;
  data: Record<string, unknown>;
}

const BATCH = 500;

/** The counter's row lock makes numbers become visible in their order. Tells the channel $4. */
const APPEND = `
  WITH counted AS (
    UPDATE deployments SET last_event = last_event + $2::integer, updated_at = now() WHERE id = $1 RETURNING id, last_event
  ),
  appended AS (
    INSERT INTO deployment_events (deployment_id, seq, type, data)
    SELECT id, last_event - $2::integer + ordinality, value ->> 'type', value -> 'data'
    FROM counted, jsonb_array_elements($3::jsonb) WITH ORDINALITY
  )
  SELECT pg_notify($4, json_build_object('deploymentId', id)::text) FROM counted`;

/** The history of deployments: written in order, and followed by anybody who watches. */
@Injectable()
export class DeploymentEvents {
  constructor(
    @InjectRepository(DeploymentEvent) private readonly events: Repository<DeploymentEvent>,
    private readonly transactions: TransactionRunner,
    private readonly notifications: Notifications,
  ) {}

  /** Appends to the history of a deployment; nothing when there is no such deployment. */
  async append(tx: Transaction, deploymentId: string, events: readonly NewEvent[]): Promise<void> {
    if (events.length > 0) await tx.query(APPEND, parametersOf(deploymentId, events));
  }

  /** The same in a transaction of its own. */
  async appendNow(deploymentId: string, events: readonly NewEvent[]): Promise<void> {
    if (events.length > 0) await this.transactions.statement(APPEND, parametersOf(deploymentId, events));
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

function parametersOf(deploymentId: string, events: readonly NewEvent[]): unknown[] {
  return [deploymentId, events.length, JSON.stringify(events), deploymentChanged.name];
}
