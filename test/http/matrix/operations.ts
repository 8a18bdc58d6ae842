import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One operation of the OpenAPI document. */
export interface MatrixOperation {
  operationId: string;
  method: string;
  path: string;
  /** A scope, `any` or `never`: what a token needs. */
  token: string | undefined;
}

type Document = { paths: Record<string, Record<string, { operationId?: string; 'x-hithe-token'?: string }>> };

/** Every operation of openapi.json, which another test keeps the same as what the server publishes. */
export function operations(document: Document = committed()): MatrixOperation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      operationId: operation.operationId ?? `${method} ${path}`,
      method: method.toUpperCase(),
      path,
      token: operation['x-hithe-token'],
    })),
  );
}

function committed(): Document {
  return JSON.parse(readFileSync(join(import.meta.dirname, '../../../openapi.json'), 'utf8')) as Document;
}
