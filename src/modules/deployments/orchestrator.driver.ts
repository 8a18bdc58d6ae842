import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { Subscription } from 'rxjs';
import { asSystem } from '../../common/request-context.js';
import { Config } from '../../config/config.js';
import { Notifications } from '../../database/notifications.js';
import { HandleJob } from '../../queue/job.js';
import { NodeLinks, type Progress } from '../nodes/node-links.js';
import { allocationsObserved } from '../nodes/nodes.channels.js';
import { DeploymentEvents } from './deployment-events.js';
import { advanceDeployment, sweepDeployments } from './deployments.jobs.js';
import { Orchestrator } from './orchestrator.js';

/** The longest wait of a timer; a later moment is the sweep's. */
const LONGEST_TIMER_MS = 120_000;

/**
 * Wakes the orchestrator: at once when a node says something, at the moment it asked for, and by jobs and a sweep for whatever
 * was lost. All of these are nudges; the orchestrator looks at the truth each time.
 */
@Injectable()
export class OrchestratorDriver implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Deployments');
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly running = new Map<string, { again: boolean; done: Promise<void> }>();
  private readonly stops: (() => void)[] = [];
  private progress: Subscription | undefined;
  /** One line after the other, in the order in which they came. */
  private noting: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly config: Config,
    private readonly notifications: Notifications,
    private readonly orchestrator: Orchestrator,
    private readonly events: DeploymentEvents,
    private readonly links: NodeLinks,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.progress = this.links.progress.subscribe((line) => {
      this.noting = this.noting.then(() => this.background(this.note(line)));
    });
    if (!this.config.has('worker')) return;
    this.stops.push(
      await this.notifications.on(allocationsObserved, ({ projectId }) => this.onObserved(projectId)),
      this.notifications.onReconnect(() => void this.background(this.lookAtAll())),
    );
    await this.lookAtAll();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    this.progress?.unsubscribe();
    for (const stop of this.stops) stop();
    for (const timer of this.timers.values()) clearTimeout(timer);
    await Promise.allSettled([...this.running.values()].map((run) => run.done));
  }

  /** Looks at a deployment now, and at the moment that it asks for; one look at a time, and none is lost. */
  look(deploymentId: string): Promise<void> {
    const active = this.running.get(deploymentId);
    if (active !== undefined) {
      active.again = true;
      return active.done;
    }
    const run = { again: false, done: Promise.resolve() };
    this.running.set(deploymentId, run);
    // Whoever asked, the platform moves deployments.
    run.done = asSystem('orchestrator', () => this.lookUntilQuiet(deploymentId, run));
    return run.done;
  }

  /** Looks again at this moment. */
  wake(deploymentId: string, at: Date | undefined): void {
    clearTimeout(this.timers.get(deploymentId));
    this.timers.delete(deploymentId);
    if (at === undefined || this.stopped) return;
    const wait = Math.min(LONGEST_TIMER_MS, Math.max(0, at.getTime() - Date.now()) + 1);
    this.timers.set(
      deploymentId,
      setTimeout(() => void this.background(this.look(deploymentId)), wait),
    );
  }

  @HandleJob(advanceDeployment)
  async onAdvance(data: { deploymentId: string }): Promise<void> {
    await this.look(data.deploymentId);
  }

  @HandleJob(sweepDeployments)
  async onSweep(): Promise<void> {
    for (const id of await this.orchestrator.due(false)) await this.look(id);
  }

  private async lookAtAll(): Promise<void> {
    for (const id of await this.orchestrator.due(true)) await this.look(id);
  }

  private async lookUntilQuiet(deploymentId: string, run: { again: boolean }): Promise<void> {
    try {
      do {
        run.again = false;
        if (this.stopped) return;
        this.wake(deploymentId, await this.orchestrator.advance(deploymentId));
      } while (wasAskedAgain(run));
    } finally {
      // In the same turn as the check above: whoever asks from now on starts a look of their own.
      this.running.delete(deploymentId);
    }
  }

  private async onObserved(projectId: string): Promise<void> {
    const active = await this.orchestrator.activeOf(projectId);
    if (active === undefined) await this.orchestrator.tidy(projectId);
    else await this.look(active);
  }

  private async note(line: Progress): Promise<void> {
    const active = await this.orchestrator.activeOf(line.projectId);
    if (active === undefined) return;
    await this.events.appendNow(active, [{ type: 'log', data: { component: line.component, step: line.step, text: line.text } }]);
  }

  private background(work: Promise<void>): Promise<void> {
    return work.catch((error: unknown) => {
      this.logger.error('A look at a deployment failed; the sweep looks again', error instanceof Error ? error.stack : String(error));
    });
  }
}

/** A call keeps the compiler from believing that nobody asks while a look is under way. */
function wasAskedAgain(run: { again: boolean }): boolean {
  return run.again;
}
