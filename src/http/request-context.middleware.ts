import type { NextFunction, Request, Response } from 'express';
import { withRequestContext } from '../common/request-context.js';
import { requestIdOf } from './request-id.js';

/**
 * Opens the context of a request: a new one, whatever the connection's was. Until the guard knows the caller, it reaches no
 * tenant's row.
 */
export function requestContextMiddleware(request: Request, _response: Response, next: NextFunction): void {
  withRequestContext({ requestId: requestIdOf(request), ...(request.ip === undefined ? {} : { address: request.ip }) }, next);
}
