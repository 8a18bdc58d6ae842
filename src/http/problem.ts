import { HttpException } from '@nestjs/common';
import { DomainError, type ErrorKind, type Fault } from '../common/domain-error.js';
import { messageOf } from '../common/thrown.js';

/** A body of `application/problem+json` (RFC 9457). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  instance: string;
  requestId: string;
  fix?: string;
  errors?: Fault[];
  details?: Record<string, unknown>;
}

/** The details of an error that its reader may see; all others are for the server. */
const SHOWN_DETAILS: readonly string[] = ['requiredScope'];

/** What HTTP says for each kind of error. Total: a new kind does not compile until it is here. */
export const PROBLEMS: Readonly<Record<ErrorKind, { status: number; title: string }>> = {
  invalid: { status: 400, title: 'The request is not valid' },
  unauthenticated: { status: 401, title: 'Log in first' },
  forbidden: { status: 403, title: 'You may not do this' },
  'not-found': { status: 404, title: 'There is no such thing' },
  conflict: { status: 409, title: 'This conflicts with the present state' },
  precondition: { status: 412, title: 'It has changed since you read it' },
  quota: { status: 429, title: 'The quota is used up' },
  rate: { status: 429, title: 'Too many requests' },
  unavailable: { status: 503, title: 'Not available right now' },
  internal: { status: 500, title: 'Something went wrong on our side' },
};

/** Codes for failures that come from the HTTP library, by status. */
const LIBRARY_CODES: Readonly<Record<number, string>> = {
  400: 'REQUEST_INVALID',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'ROUTE_NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  408: 'REQUEST_TIMEOUT',
  413: 'BODY_TOO_LARGE',
  415: 'MEDIA_TYPE_UNSUPPORTED',
};

/** Describes any thrown value; whatever is not a `DomainError` or a client's fault is masked as `INTERNAL`. */
export function problemOf(error: unknown, instance: string, requestId: string): Problem {
  if (error instanceof DomainError && error.kind !== 'internal') return problemOfDomainError(error, instance, requestId);
  const status = clientFaultStatus(error);
  if (status === undefined) return internalProblem(instance, requestId);
  const code = LIBRARY_CODES[status] ?? 'REQUEST_REFUSED';
  const detail = messageOf(error);
  return { type: typeOf(code), title: titleOfStatus(status), status, code, detail, instance, requestId };
}

function problemOfDomainError(error: DomainError, instance: string, requestId: string): Problem {
  const { status, title } = PROBLEMS[error.kind];
  const details = Object.entries(error.details).filter(([name]) => SHOWN_DETAILS.includes(name));
  return {
    type: typeOf(error.code),
    title,
    status,
    code: error.code,
    detail: error.message,
    instance,
    requestId,
    ...(error.fix === undefined ? {} : { fix: error.fix }),
    ...(error.faults.length === 0 ? {} : { errors: error.faults }),
    ...(details.length === 0 ? {} : { details: Object.fromEntries(details) }),
  };
}

function internalProblem(instance: string, requestId: string): Problem {
  return {
    type: typeOf('INTERNAL'),
    ...PROBLEMS.internal,
    code: 'INTERNAL',
    detail: 'The cause is in the log of the control plane.',
    instance,
    requestId,
    fix: `Look for ${requestId} in control-plane.log.`,
  };
}

/** The status of an error that Nest, Express or a body parser blames on the client. */
function clientFaultStatus(error: unknown): number | undefined {
  const status = error instanceof HttpException ? error.getStatus() : statusOf(error);
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}

function statusOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
}

function titleOfStatus(status: number): string {
  return Object.values(PROBLEMS).find((each) => each.status === status)?.title ?? PROBLEMS.invalid.title;
}

function typeOf(code: string): string {
  return `urn:hithe:problem:${code.toLowerCase().replaceAll('_', '-')}`;
}
