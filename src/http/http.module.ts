import { Global, Injectable, Module } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { HandleJob, defineJob } from '../queue/job.js';
import { EventStreams } from './event-streams.js';
import { IdempotencyKey } from './idempotency-key.entity.js';
import { IdempotencyStore } from './idempotency-store.js';
import { ProblemFilter } from './problem.filter.js';
import { validationPipe } from './validation.js';

/** Once an hour: drops stored answers that nobody will ask for any more. */
export const forgetIdempotencyKeys = defineJob<Record<string, never>>('http.forget-idempotency-keys', { schedule: '17 * * * *' });

/** Housekeeping of repeated requests. */
@Injectable()
export class HttpJobs {
  constructor(private readonly store: IdempotencyStore) {}

  @HandleJob(forgetIdempotencyKeys)
  async forget(): Promise<void> {
    await this.store.forgetOld();
  }
}

/** What stands around every route: problems, validation, repeated requests, event streams. */
@Global()
@Module({
  imports: [TypeOrmModule.forFeature([IdempotencyKey])],
  providers: [
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_PIPE, useFactory: validationPipe },
    EventStreams,
    IdempotencyStore,
    HttpJobs,
  ],
  exports: [EventStreams, IdempotencyStore],
})
export class HttpModule {}
