import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

export const REQUEST_ID_HEADER = 'X-Request-Id';
const ACCEPTABLE = /^[A-Za-z0-9._-]{8,64}$/;

/** Takes the client's request id when it is harmless, otherwise makes one; it is in the answer and in each log line. */
export function assignRequestId(request: IncomingMessage, response: ServerResponse): string {
  const present = requestIdOf(request);
  if (present !== '') return present;
  const given = request.headers['x-request-id'];
  // Not newId(): nothing sorts by it, and Node.js keeps random bytes for this one in store; asking for fresh ones costs a request 4 %.
  const id = typeof given === 'string' && ACCEPTABLE.test(given) ? given : randomUUID();
  response.setHeader(REQUEST_ID_HEADER, id);
  (request as { id?: unknown }).id = id;
  return id;
}

/** First of all middleware, so that even a body that cannot be read is answered with a request id. */
export function requestIdMiddleware(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  assignRequestId(request, response);
  next();
}

/** The id that `assignRequestId` gave this request. */
export function requestIdOf(request: IncomingMessage): string {
  const { id } = request as { id?: unknown };
  return typeof id === 'string' ? id : '';
}
