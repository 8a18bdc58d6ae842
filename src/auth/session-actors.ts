import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { Response } from 'express';
import { systemClock } from '../common/clock.js';
import { Notifications } from '../database/notifications.js';
import type { Actor } from './actor.js';
import { ActorLoader } from './actor-loader.js';
import { standingChanged } from './reauthorisation.js';

/** A revoked right works for at most so long, even if every notification of the change was lost. */
export const TRUSTED_MS = 2_000;
const MOST_REMEMBERED = 5_000;

interface Known {
  actor: Actor;
  since: number;
}

/**
 * Who is behind a session, asked of the database at most every two seconds for each. A change of what somebody is or may do is known at once: here,
 * before the answer of the request that made it leaves; in other replicas, as soon as the database tells. While it cannot tell, everybody is asked for
 * on each request. Why this is allowed, and what it costs: docs/adr/0020.
 */
@Injectable()
export class SessionActors implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly known = new Map<string, Known>();
  private readonly loading = new Map<string, Promise<Actor | null>>();
  /** Grows when something is forgotten: what was asked for before is not remembered afterwards. */
  private generation = 0;
  private readonly stops: (() => void)[] = [];

  constructor(
    private readonly actors: ActorLoader,
    private readonly notifications: Notifications,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const stop = await this.notifications.on(standingChanged, ({ userId }) => {
      this.forget(userId);
    });
    const stopReconnect = this.notifications.onReconnect(() => {
      this.forget();
    });
    this.stops.push(stop, stopReconnect);
  }

  onModuleDestroy(): void {
    for (const stop of this.stops.splice(0)) stop();
  }

  /** The actor; null when the session has ended, or its user is gone or disabled. Shared between requests: never change it. */
  of(userId: string, sessionId: string): Promise<Actor | null> {
    if (!this.notifications.connected) return this.actors.load(userId, sessionId);
    const known = this.known.get(sessionId);
    if (known?.actor.userId === userId && systemClock.monotonic() - known.since < TRUSTED_MS) return Promise.resolve(known.actor);
    const key = `${sessionId} ${userId}`;
    const underWay = this.loading.get(key);
    if (underWay !== undefined) return underWay;
    const loading = this.load(userId, sessionId).finally(() => {
      if (this.loading.get(key) === loading) this.loading.delete(key);
    });
    this.loading.set(key, loading);
    return loading;
  }

  /** Forgets one user, or everybody. */
  forget(userId?: string): void {
    this.generation += 1;
    this.loading.clear();
    if (userId === undefined) this.known.clear();
    else for (const [sessionId, { actor }] of this.known) if (actor.userId === userId) this.known.delete(sessionId);
  }

  /** Forgets everybody before this answer leaves: whoever made a change must not meet the time before it. */
  forgetBefore(response: Response): void {
    const writeHead = response.writeHead.bind(response) as (...given: unknown[]) => Response;
    response.writeHead = (...given: unknown[]) => {
      this.forget();
      return writeHead(...given);
    };
  }

  private async load(userId: string, sessionId: string): Promise<Actor | null> {
    const { generation } = this;
    // The time before the question: the answer is no newer.
    const since = systemClock.monotonic();
    const actor = await this.actors.load(userId, sessionId);
    if (actor === null || generation !== this.generation) return actor;
    const [oldest] = this.known.keys();
    if (this.known.size >= MOST_REMEMBERED && oldest !== undefined) this.known.delete(oldest);
    this.known.set(sessionId, { actor: Object.freeze(actor), since });
    return actor;
  }
}
