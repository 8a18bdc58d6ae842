import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { Request } from 'express';
import { DomainError } from '../common/domain-error.js';
import { asSystem } from '../common/request-context.js';
import { messageOf } from '../common/thrown.js';
import { Notifications, defineChannel } from '../database/notifications.js';
import type { Actor } from './actor.js';
import { ActorLoader } from './actor-loader.js';
import { ApiTokenAuthenticator } from './api-tokens/api-token-authenticator.js';

/** Sent by triggers of the database when what somebody is or may do has changed; without a user: anybody's. */
export const standingChanged = defineChannel<{ userId?: string }>('standing_changed');

/** A revoked right ends a stream at the latest after this, even if every notification was lost. */
export const RECHECK_MS = 10_000;

interface Watched {
  actor: Actor;
  request: Request;
  /** What the caller was when the answer began. */
  standing: string;
  end: () => void;
}

/**
 * Looks again at callers whose answers go on: at each change that the database tells of, and every ten seconds. A caller whose
 * session or token has ended, or who is not exactly what they were, loses the answer, and has to ask anew.
 */
@Injectable()
export class Reauthorisation implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(Reauthorisation.name);
  private readonly watched = new Set<Watched>();
  private readonly stops: (() => void)[] = [];

  constructor(
    private readonly actors: ActorLoader,
    private readonly apiTokens: ApiTokenAuthenticator,
    private readonly notifications: Notifications,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.stops.push(
      await this.notifications.on(standingChanged, ({ userId }) => this.look(userId)),
      this.notifications.onReconnect(() => void this.look()),
    );
    const timer = setInterval(() => void this.look(), RECHECK_MS);
    this.stops.push(() => {
      clearInterval(timer);
    });
  }

  onModuleDestroy(): void {
    for (const stop of this.stops.splice(0)) stop();
  }

  /** Calls `end` as soon as the caller of this request is not what they were. Returns how to stop watching; nobody is watched on public routes. */
  watch(request: Request, end: () => void): () => void {
    const actor = request.user as Actor | undefined;
    if (actor === undefined) return () => undefined;
    const watched = { actor, request, standing: standingOf(actor), end };
    this.watched.add(watched);
    // What changed since the guard looked was told to nobody.
    void this.check(watched);
    return () => this.watched.delete(watched);
  }

  private async look(userId?: string): Promise<void> {
    const concerned = [...this.watched].filter(({ actor }) => userId === undefined || actor.userId === userId);
    await Promise.all(concerned.map((watched) => this.check(watched)));
  }

  private async check(watched: Watched): Promise<void> {
    if (!this.watched.has(watched) || (await this.isUnchanged(watched))) return;
    if (this.watched.delete(watched)) watched.end();
  }

  private async isUnchanged({ actor, request, standing }: Watched): Promise<boolean> {
    try {
      const now = await asSystem('authentication', () => this.again(actor, request));
      return now !== null && standingOf(now) === standing;
    } catch (error) {
      // Who cannot be looked up is not let through either.
      if (!(error instanceof DomainError)) this.logger.warn(`An open answer ends: its caller cannot be looked up (${messageOf(error)})`);
      return false;
    }
  }

  private again({ userId, credential }: Actor, request: Request): Promise<Actor | null> {
    if (credential.kind === 'session') return this.actors.load(userId, credential.sessionId);
    return this.apiTokens.authenticate(/^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '');
  }
}

/** Everything that rights follow from, as a text. */
function standingOf({ platformAdmin, memberships, grants, breakGlass, credential, secondFactorMissing }: Actor): string {
  return JSON.stringify([platformAdmin, memberships, grants, breakGlass, credential, secondFactorMissing]);
}
