import { Injectable, Logger, type OnModuleInit, type BeforeApplicationShutdown } from '@nestjs/common';
import { type Db, type JobWithMetadata, PgBoss } from 'pg-boss';
import { asSystem } from '../common/request-context.js';
import { messageOf, stackOf } from '../common/thrown.js';
import type { Transaction } from '../common/transaction.js';
import { Config } from '../config/config.js';
import { type EnqueueOptions, JobQueue, type QueueHealth } from './job-queue.js';
import { type Job, type JobHandler, declaredJobs } from './job.js';

const DEAD_LETTERS = 'dead-letter';
const CONNECTIONS = 4;
/** Polling is only the floor under LISTEN/NOTIFY: it finds retries that are due and what a lost notification left behind. */
const POLLING_SECONDS = 2;
const NOTIFIED_POLLING_SECONDS = 5;
const STOP_TIMEOUT_MS = 10_000;

/** The job queue on PostgreSQL; the only place that knows pg-boss. */
@Injectable()
export class PgBossQueue extends JobQueue implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger('JobQueue');
  private boss: PgBoss | undefined;

  constructor(private readonly config: Config) {
    super();
  }

  /** Connects, and creates the queues that are missing. */
  async onModuleInit(): Promise<void> {
    const boss = new PgBoss({
      connectionString: this.config.requireDatabaseUrl(),
      application_name: 'hithe-queue',
      max: CONNECTIONS,
      useListenNotify: true,
      monitorVacuum: false,
      // The bootstrap does, as the owner; see queue-schema.ts.
      migrate: false,
      openTelemetry: { enabled: false },
    });
    boss.on('error', (error: Error) => {
      this.note(error);
    });
    await boss.start();
    this.boss = boss;
    await boss.createQueue(DEAD_LETTERS);
    const known = new Set((await boss.getQueues()).map((queue) => queue.name));
    for (const job of declaredJobs()) await this.declare(boss, job, known.has(job.name));
  }

  /** Starts to work: one worker for each job, so that `concurrency` bounds each kind by itself. */
  async work(handlers: Iterable<JobHandler>): Promise<void> {
    const boss = this.started();
    for (const handler of handlers) await this.workOn(boss, handler);
  }

  override async enqueue<T extends object>(job: Job<T>, data: T, options: EnqueueOptions = {}): Promise<void> {
    if (job.options.serial && options.key === undefined) throw new TypeError(`The job "${job.name}" is serial and needs a key`);
    await this.started().send(job.name, data, {
      ...(options.key === undefined ? {} : { singletonKey: options.key }),
      ...(options.delay === undefined ? {} : { startAfter: options.delay }),
      ...(options.tx === undefined ? {} : { db: databaseOf(options.tx) }),
    });
  }

  override async health(): Promise<QueueHealth> {
    if (!this.boss) return { ok: false, message: 'The queue has not started.', deadLetters: 0 };
    try {
      // Asks the database each time; the statistics may be up to a minute old.
      await this.boss.getQueue(DEAD_LETTERS);
      const [stats] = await this.boss.getQueueStats(DEAD_LETTERS, { force: true });
      const deadLetters = stats?.queuedCount ?? 0;
      return {
        ok: true,
        message: deadLetters === 0 ? 'Jobs run.' : `Jobs run; ${deadLetters} failed for good and wait in "${DEAD_LETTERS}".`,
        deadLetters,
      };
    } catch (error) {
      return { ok: false, message: `The queue does not answer: ${messageOf(error)}`, deadLetters: 0 };
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    const boss = this.boss;
    this.boss = undefined;
    await boss?.stop({ graceful: true, timeout: STOP_TIMEOUT_MS });
  }

  private async declare(boss: PgBoss, job: Job<object>, exists: boolean): Promise<void> {
    const options = {
      retryLimit: job.options.retryLimit,
      retryDelay: job.options.retryDelay,
      retryBackoff: true,
      expireInSeconds: job.options.expireIn,
      notify: true,
    };
    // createQueue changes nothing on a queue that exists.
    if (exists) await boss.updateQueue(job.name, { ...options, deadLetter: DEAD_LETTERS });
    else await boss.createQueue(job.name, { ...options, policy: job.options.serial ? 'singleton' : 'standard', deadLetter: DEAD_LETTERS });
    if (job.options.schedule !== undefined)
      await boss.schedule(job.name, job.options.schedule, {}, job.options.serial ? { singletonKey: 'schedule' } : {});
  }

  private async workOn(boss: PgBoss, handler: JobHandler): Promise<void> {
    const options = {
      localConcurrency: handler.job.options.concurrency,
      pollingIntervalSeconds: POLLING_SECONDS,
      notifyPollingIntervalSeconds: NOTIFIED_POLLING_SECONDS,
      batchSize: 1,
      // Whoever found a job looks again at once: the next one of a serial key waits for exactly that.
      burstWhenBatchFull: true,
      includeMetadata: true,
    } as const;
    await boss.work(handler.job.name, options, async (jobs: JobWithMetadata[]) => {
      for (const job of jobs) await this.runOne(handler, job);
    });
  }

  private async runOne(handler: JobHandler, job: JobWithMetadata): Promise<void> {
    try {
      await asSystem(handler.job.name, () => handler.run(job.data));
    } catch (error) {
      const last = job.retryCount >= job.retryLimit ? '; it goes to the dead-letter queue' : '';
      this.logger.error(`Job ${job.name} ${job.id} failed, attempt ${job.retryCount + 1}${last}`, stackOf(error));
      throw error;
    }
  }

  private note(error: Error): void {
    this.logger.error(error.message, error.stack);
  }

  private started(): PgBoss {
    if (this.boss) return this.boss;
    throw new TypeError('The job queue is not running');
  }
}

function databaseOf(tx: Transaction): Db {
  return {
    executeSql: async (text, values) => ({ rows: await tx.query<Record<string, unknown>[]>(text, values) }),
  };
}
