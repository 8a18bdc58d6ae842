import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One operation of the OpenAPI document. */
export interface MatrixOperation {
  operationId: string;
  method: string;
  path: string;
  /** A scope, `any` or `never`: what a token needs. */
  token: string | undefined;
  /** Names of the properties that its JSON body has; undefined without such a body, or where any property may come. */
  bodyProperties: readonly string[] | undefined;
}

/** What the matrix reads of an OpenAPI document. */
export interface Document {
  paths: Record<string, Record<string, DocumentedOperation>>;
  components?: { schemas?: Record<string, { properties?: object }> };
}

interface DocumentedOperation {
  operationId?: string;
  'x-hithe-token'?: string;
  requestBody?: { content?: { 'application/json'?: { schema?: { $ref?: string } } } };
}

/** Every operation of openapi.json, which another test keeps the same as what the server publishes. */
export function operations(document: Document = committed()): MatrixOperation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      operationId: operation.operationId ?? `${method} ${path}`,
      method: method.toUpperCase(),
      path,
      token: operation['x-hithe-token'],
      bodyProperties: bodyPropertiesOf(operation, document),
    })),
  );
}

function bodyPropertiesOf(operation: DocumentedOperation, document: Document): string[] | undefined {
  const name = operation.requestBody?.content?.['application/json']?.schema?.$ref?.split('/').at(-1);
  const schema = name === undefined ? undefined : document.components?.schemas?.[name];
  return schema === undefined ? undefined : Object.keys(schema.properties ?? {});
}

function committed(): Document {
  return JSON.parse(readFileSync(join(import.meta.dirname, '../../../openapi.json'), 'utf8')) as Document;
}
