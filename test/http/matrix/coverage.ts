import { type Document, operations } from './operations.js';
import { ROUTES } from './requests/index.js';

/** The operations of an OpenAPI document that the matrix does not call, as `GET /api/v1/me (getMe)`. */
export function operationsWithoutCase(document?: Document): string[] {
  return operations(document)
    .filter(({ operationId }) => ROUTES[operationId] === undefined)
    .map(({ method, path, operationId }) => `${method} ${path} (${operationId})`);
}

/** Cases of operations that do not exist any more. */
export function casesWithoutOperation(): string[] {
  const known = new Set(operations().map(({ operationId }) => operationId));
  return Object.keys(ROUTES).filter((operationId) => !known.has(operationId));
}
