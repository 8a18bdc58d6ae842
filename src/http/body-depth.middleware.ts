import type { NextFunction, Request, Response } from 'express';
import { DomainError } from '../common/domain-error.js';

/** No request of the API needs a tenth of it; what walks a body may recurse. */
export const DEEPEST_BODY = 64;

/** Refuses bodies of JSON that is nested deeper than `DEEPEST_BODY` levels: `BODY_TOO_DEEP`. */
export function refuseDeepBodies(request: Request, _response: Response, next: NextFunction): void {
  let level: unknown[] = [request.body];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEEPEST_BODY) {
      throw new DomainError('invalid', 'BODY_TOO_DEEP', `The body is nested deeper than ${DEEPEST_BODY} levels.`, {
        fix: 'Send what the documentation of the request describes.',
      });
    }
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null && !Buffer.isBuffer(value) ? Object.values<unknown>({ ...value }).filter(isNested) : [],
    );
  }
  next();
}

function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
