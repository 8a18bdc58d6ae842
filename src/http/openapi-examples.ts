import type { OpenAPIObject } from '@nestjs/swagger';
import { PROBLEMS } from './problem.js';

type Json = Record<string, unknown>;

const DEEPEST = 6;
const UUID = '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55';

/** Writes an example into each body of the document, put together from the examples of its schema's properties. */
export function addExamples(document: OpenAPIObject): OpenAPIObject {
  const schemas = (document.components?.schemas ?? {}) as Record<string, Json>;
  for (const [path, item] of Object.entries(document.paths)) {
    for (const operation of Object.values(item as Record<string, Json>)) {
      const request = operation['requestBody'] as Json | undefined;
      if (request) addToContent(request, (schema) => sampleOf(schema, schemas, 0));
      for (const [status, response] of Object.entries((operation['responses'] ?? {}) as Record<string, Json>)) {
        addToContent(response, (schema, type) =>
          type === 'application/problem+json' ? problemExample(Number(status), path) : sampleOf(schema, schemas, 0),
        );
      }
    }
  }
  return document;
}

function addToContent(holder: Json, make: (schema: Json, type: string) => unknown): void {
  for (const [type, media] of Object.entries((holder['content'] ?? {}) as Record<string, Json>)) {
    if ('example' in media || 'examples' in media || !media['schema']) continue;
    const example = make(media['schema'] as Json, type);
    if (example !== undefined) media['example'] = example;
  }
}

function problemExample(status: number, path: string): Json {
  const [kind, problem] = Object.entries(PROBLEMS).findLast(([, each]) => each.status === status) ?? ['internal', PROBLEMS.internal];
  return {
    type: `urn:hithe:problem:${kind}`,
    title: problem.title,
    status,
    code: kind.toUpperCase().replaceAll('-', '_'),
    detail: `${problem.title}.`,
    instance: path.replaceAll(/\{\w+\}/g, UUID),
    requestId: '0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21',
  };
}

/** A value of the schema: its own example, or one put together from its parts. */
function sampleOf(schema: Json, schemas: Record<string, Json>, depth: number): unknown {
  if (depth > DEEPEST) return undefined;
  if ('example' in schema) return schema['example'];
  const name = typeof schema['$ref'] === 'string' ? schema['$ref'].split('/').at(-1) : undefined;
  if (name !== undefined) return sampleOf(schemas[name] ?? {}, schemas, depth + 1);
  const choice = (schema['oneOf'] ?? schema['anyOf']) as Json[] | undefined;
  if (choice?.[0]) return sampleOf(choice[0], schemas, depth + 1);
  if (Array.isArray(schema['allOf'])) {
    return Object.assign({}, ...(schema['allOf'] as Json[]).map((part) => sampleOf(part, schemas, depth + 1))) as unknown;
  }
  if (schema['type'] === 'array')
    return [sampleOf((schema['items'] ?? {}) as Json, schemas, depth + 1)].filter((item) => item !== undefined);
  if (schema['properties']) return sampleOfObject(schema['properties'] as Record<string, Json>, schemas, depth);
  return schema['default'] ?? (schema['enum'] as unknown[] | undefined)?.[0];
}

function sampleOfObject(properties: Record<string, Json>, schemas: Record<string, Json>, depth: number): Json {
  const samples = Object.entries(properties).map(([name, schema]): [string, unknown] => [name, sampleOf(schema, schemas, depth + 1)]);
  return Object.fromEntries(samples.filter(([, value]) => value !== undefined));
}
