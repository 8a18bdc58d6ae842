import { describe, expect, it } from '@jest/globals';
import { HandleJob, type Job, type JobHandler, defineJob, handledJob, matchHandlers } from './job.js';

const one = defineJob<{ id: string }>('test.one', { retryLimit: 1 });
const two = defineJob<{ id: string }>('test.two');
const handler = (job: Job<object>, where = 'Class.method'): JobHandler => ({ job, where, run: () => Promise.resolve() });

describe('jobs', () => {
  it('have a name of the form module.verb, once', () => {
    expect(() => defineJob('Deploy Now')).toThrow('is not a job name');
    expect(() => defineJob('test.one')).toThrow('declared twice');
  });

  it('are found at the methods that handle them', () => {
    class Jobs {
      @HandleJob(one)
      async handle(): Promise<void> {
        await Promise.resolve();
      }
      other(): void {
        return;
      }
    }
    const jobs = new Jobs();
    expect(handledJob(Reflect.get(jobs, 'handle'))).toBe(one);
    expect(handledJob(Reflect.get(jobs, 'other'))).toBeUndefined();
  });
});

describe('matchHandlers', () => {
  it('pairs each job with its handler', () => {
    const own = handler(one);
    expect(matchHandlers([one], [own]).get(one)).toBe(own);
  });

  it('refuses a job without a handler, and one with two, all in one message', () => {
    const attempt = () => matchHandlers([one, two], [handler(one, 'A.a'), handler(one, 'B.b')]);
    expect(attempt).toThrow('"test.one" has 2 handlers: A.a, B.b');
    expect(attempt).toThrow('"test.two" has no handler');
  });
});
