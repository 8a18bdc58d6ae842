import type { NextFunction, Request, Response } from 'express';
import { DomainError } from '../common/domain-error.js';

const SECRET_PARAMETERS =
  /^(?:access[_-]?token|refresh[_-]?token|id[_-]?token|token|api[_-]?key|apikey|password|secret|authorization|credential)$/i;

/** Refuses secrets in the query string: it ends up in logs, histories and referrers. */
export function refuseSecretsInQuery(request: Request, _response: Response, next: NextFunction): void {
  const found = Object.keys(request.query).find((name) => SECRET_PARAMETERS.test(name));
  if (found === undefined) {
    next();
    return;
  }
  throw new DomainError('invalid', 'SECRET_IN_QUERY', `A secret must not travel in the query string ("${found}").`, {
    fix: 'Send it in the Authorization header or in the body. Consider this one known, and replace it.',
  });
}
