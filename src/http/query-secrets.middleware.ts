import type { NextFunction, Request, Response } from 'express';
import { DomainError } from '../common/domain-error.js';

/** A name, or one part of a nested one: `token`, `filter[token]`, `a.token`. */
const SECRET_PARAMETERS =
  /(?:^|[[.])(?:(?:access|refresh|id|reset|session|api)?[_-]?token|api[_-]?key|password|secret|authorization|credential|jwt|bearer)\]?$/i;
/** Tokens of our own, and anything of the form of a JSON Web Token, under whatever name. */
const SECRET_VALUES = /(?:^|[^A-Za-z0-9])hithe_[a-z]{2,4}_[A-Za-z0-9_-]{16}|^(?:Bearer )?eyJ[\w-]+\.[\w-]+\./;

const OIDC_CALLBACK = '/api/v1/auth/oidc/callback';

/** Refuses the character NUL in addresses: no text of the database can hold it, so nothing is called so. */
export function refuseNulInAddress(request: Request, _response: Response, next: NextFunction): void {
  if (/%00|\0/.test(request.originalUrl)) {
    throw new DomainError('invalid', 'NUL_IN_ADDRESS', 'The address holds the character NUL (%00).', { fix: 'Leave it out.' });
  }
  next();
}

/** Refuses secrets in the query string: it ends up in logs, histories and referrers. */
export function refuseSecretsInQuery(request: Request, _response: Response, next: NextFunction): void {
  const mark = request.originalUrl.indexOf('?');
  const query = new URLSearchParams(mark < 0 ? '' : request.originalUrl.slice(mark + 1));
  for (const [name, value] of query) {
    // Some OIDC providers write their one-time codes as JSON Web Tokens.
    if (name === 'code' && request.path === OIDC_CALLBACK) continue;
    if (!SECRET_PARAMETERS.test(name) && !SECRET_VALUES.test(value)) continue;
    throw new DomainError('invalid', 'SECRET_IN_QUERY', `A secret must not travel in the query string ("${name.slice(0, 64)}").`, {
      fix: 'Send it in the Authorization header or in the body. Consider this one known, and replace it.',
    });
  }
  next();
}
