import 'reflect-metadata';

export interface JobOptions {
  /** How often a failed job is tried again before it goes to the dead-letter queue. */
  retryLimit: number;
  /** Seconds until the first retry; doubles with each. */
  retryDelay: number;
  /** Seconds after which an unfinished job counts as failed. */
  expireIn: number;
  /** How many of these one process runs at once. */
  concurrency: number;
  /** Runs at most one job of a key at a time, over all processes; the others wait. Enqueue then needs a `key`. */
  serial: boolean;
  /** Runs by itself on this cron expression (UTC, minutes), once in the whole installation. */
  schedule?: string;
}

/** A kind of durable work and the shape of its data. Declare one with `defineJob`. */
export interface Job<T extends object> {
  readonly name: string;
  readonly options: JobOptions;
  /** Carries the type; never set. */
  readonly data?: T;
}

const DEFAULTS: JobOptions = { retryLimit: 5, retryDelay: 1, expireIn: 900, concurrency: 1, serial: false };
const declared = new Map<string, Job<object>>();

/**
 * Declares a kind of job: `deployments.advance`. The control plane refuses to boot unless exactly one `@HandleJob`
 * method handles it. Delivery is at least once: a handler must be safe to repeat.
 */
export function defineJob<T extends object>(name: string, options: Partial<JobOptions> = {}): Job<T> {
  if (!/^[a-z]+(?:[.-][a-z]+)*$/.test(name)) throw new TypeError(`"${name}" is not a job name; use "module.verb"`);
  if (declared.has(name)) throw new TypeError(`The job "${name}" is declared twice`);
  const job: Job<T> = { name, options: { ...DEFAULTS, ...options } };
  declared.set(name, job);
  return job;
}

/** Every job that has been declared. */
export function declaredJobs(): Job<object>[] {
  return [...declared.values()];
}

const HANDLES = Symbol('hithe:handles-job');

/** Marks a provider's method `(data: T) => Promise<void>` as the handler of `job`. A rejected promise is a retry. */
export function HandleJob<T extends object>(job: Job<T>): MethodDecorator {
  return (_target, _key, descriptor) => {
    Reflect.defineMetadata(HANDLES, job, descriptor.value as object);
  };
}

/** The job that a method handles, if any. */
export function handledJob(method: unknown): Job<object> | undefined {
  return typeof method === 'function' ? (Reflect.getMetadata(HANDLES, method) as Job<object> | undefined) : undefined;
}

export interface JobHandler {
  job: Job<object>;
  /** Class and method, for messages. */
  where: string;
  run: (data: object) => Promise<void>;
}

/** Pairs each declared job with its one handler; throws a single error that names every job with none or several. */
export function matchHandlers(jobs: readonly Job<object>[], handlers: readonly JobHandler[]): Map<Job<object>, JobHandler> {
  const faults: string[] = [];
  const matched = new Map<Job<object>, JobHandler>();
  for (const job of jobs) {
    const own = handlers.filter((handler) => handler.job.name === job.name);
    const [handler] = own;
    if (!handler) faults.push(`"${job.name}" has no handler: add a method with @HandleJob to a provider`);
    else if (own.length > 1) faults.push(`"${job.name}" has ${own.length} handlers: ${own.map((each) => each.where).join(', ')}`);
    else matched.set(job, handler);
  }
  if (faults.length > 0) throw new TypeError(`Jobs and handlers do not match: ${faults.join('; ')}`);
  return matched;
}
