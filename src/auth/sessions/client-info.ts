import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import type { Request } from 'express';

/** From where somebody logs in, as they will see it in the list of their sessions. */
export interface ClientInfo {
  /** Network address; behind a proxy the one that it reports, if HITHE_TRUST_PROXY says so. */
  address: string;
  /** What the client says of itself; shortened, without control characters. */
  userAgent: string;
}

const LONGEST_USER_AGENT = 200;

/** The `ClientInfo` of a request. */
export function clientInfoOf(request: Pick<Request, 'ip' | 'headers'>): ClientInfo {
  const userAgent = (request.headers['user-agent'] ?? '').replaceAll(/\p{C}/gu, '').slice(0, LONGEST_USER_AGENT);
  return { address: request.ip ?? '', userAgent };
}

/** Parameter decorator: from where this request comes. */
export const Client = createParamDecorator((_data: unknown, context: ExecutionContext): ClientInfo =>
  clientInfoOf(context.switchToHttp().getRequest<Request>()),
);
