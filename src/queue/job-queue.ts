import type { Transaction } from '../common/transaction.js';
import type { Job } from './job.js';

export interface EnqueueOptions {
  /** The job exists if, and only if, this transaction commits. */
  tx?: Transaction;
  /** For `serial` jobs: what they must not do two at a time, e.g. the deployment's id. */
  key?: string;
  /** Seconds before which it must not run. */
  delay?: number;
}

export interface QueueHealth {
  ok: boolean;
  message: string;
  /** Jobs that failed for good and wait for an operator. */
  deadLetters: number;
}

/** Durable work that outlives every process. The only thing that other modules know of the queue. */
export abstract class JobQueue {
  /** Stores a job, to be run at least once as soon as a worker is free. */
  abstract enqueue<T extends object>(job: Job<T>, data: T, options?: EnqueueOptions): Promise<void>;
  /** What an operator must know about the queue right now. */
  abstract health(): Promise<QueueHealth>;
}
