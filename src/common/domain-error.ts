/** What kind of failure this is; `http/problem.filter.ts` maps each kind to exactly one HTTP status. */
export const ERROR_KINDS = [
  'invalid',
  'unauthenticated',
  'forbidden',
  'not-found',
  'conflict',
  'precondition',
  'quota',
  'rate',
  'unavailable',
  'internal',
] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];

/** One fault within a larger input: where it is, what is wrong, and how to mend it. */
export interface Fault {
  /** Place in the input, dotted: `components.web.needs[0]`. */
  path: string;
  /** Stable code, e.g. `PORT_UNKNOWN`. */
  code: string;
  message: string;
  /** What the reader can do next. */
  fix?: string;
}

export interface DomainErrorOptions {
  details?: Record<string, unknown>;
  /** The single faults of an `invalid` input. */
  faults?: Fault[];
  /** What the reader can do next. */
  fix?: string;
  cause?: unknown;
}

/**
 * The only error that domain and services throw on purpose. `code` is stable and upper case
 * (`DEPLOYMENT_ALREADY_ACTIVE`); `message` is shown to users and never holds a secret.
 */
export class DomainError extends Error {
  readonly details: Record<string, unknown>;
  readonly faults: Fault[];
  readonly fix: string | undefined;

  constructor(
    readonly kind: ErrorKind,
    readonly code: string,
    message: string,
    options: DomainErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DomainError';
    this.details = options.details ?? {};
    this.faults = options.faults ?? [];
    this.fix = options.fix;
  }
}

/** Error for a row that is absent, or that another tenant owns: the two must look alike. */
export function notFound(what: string, name: string): DomainError {
  return new DomainError(
    'not-found',
    `${what.toUpperCase().replaceAll(/[^A-Z]/g, '_')}_NOT_FOUND`,
    `There is no ${what} "${name}" that you can see.`,
  );
}
