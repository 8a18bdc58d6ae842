import { Global, Injectable, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, MetadataScanner } from '@nestjs/core';
import { Config } from '../config/config.js';
import { JobQueue } from './job-queue.js';
import { type JobHandler, declaredJobs, handledJob, matchHandlers } from './job.js';
import { PgBossQueue } from './pg-boss.queue.js';

/** Finds the `@HandleJob` methods, refuses to boot unless each job has exactly one, and sets the workers to work. */
@Injectable()
export class JobWorkers implements OnApplicationBootstrap {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly queue: PgBossQueue,
    private readonly config: Config,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const matched = matchHandlers(declaredJobs(), this.handlers());
    if (this.config.has('worker')) await this.queue.work(matched.values());
  }

  private handlers(): JobHandler[] {
    const instances = new Set<unknown>(this.discovery.getProviders().map((wrapper): unknown => wrapper.instance));
    return [...instances].flatMap((instance) => {
      if (typeof instance !== 'object' || instance === null) return [];
      const prototype = Object.getPrototypeOf(instance) as object | null;
      if (prototype === null || prototype === Object.prototype) return [];
      return this.scanner.getAllMethodNames(prototype).flatMap((name) => handlerOf(instance as Record<string, unknown>, name));
    });
  }
}

function handlerOf(instance: Record<string, unknown>, name: string): JobHandler[] {
  const method = instance[name];
  const job = handledJob(method);
  if (!job || typeof method !== 'function') return [];
  const run = method.bind(instance) as (data: object) => Promise<void>;
  return [{ job, where: `${instance.constructor.name}.${name}`, run }];
}

/** Provides `JobQueue`, and runs the handlers of every module. */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [PgBossQueue, { provide: JobQueue, useExisting: PgBossQueue }, JobWorkers],
  exports: [JobQueue],
})
export class QueueModule {}
