import type { PortVar } from './catalogue.types.js';

/** The schema of a port without `vars.schema.json`: no vars at all. */
export function emptyVarsSchema(name: string): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: name,
    type: 'object',
    additionalProperties: false,
    properties: {},
  };
}

/** The properties of a vars schema. */
export function propertiesOf(schema: Record<string, unknown>): Record<string, Record<string, unknown>> {
  const properties: unknown = schema['properties'];
  return properties !== null && typeof properties === 'object' ? (properties as Record<string, Record<string, unknown>>) : {};
}

/** What people are told about a port's vars. */
export function describeVars(schema: Record<string, unknown>): PortVar[] {
  const required = Array.isArray(schema['required']) ? (schema['required'] as unknown[]) : [];
  return Object.entries(propertiesOf(schema)).map(([name, property]) => {
    const type: unknown = property['type'];
    const fallback = asText(property['default']);
    return {
      name,
      description: typeof property['description'] === 'string' ? property['description'] : '',
      type: Array.isArray(type) ? type.join(' or ') : typeof type === 'string' ? type : 'string',
      required: required.includes(name),
      ...(fallback === undefined ? {} : { default: fallback }),
      secret: property['writeOnly'] === true,
      ...(property['x-hithe-generate'] === 'password' ? { generate: 'password' as const } : {}),
    };
  });
}

/** A var's value as an environment holds it; objects as JSON. Undefined for nothing. */
export function asText(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'object':
      return value === null ? undefined : JSON.stringify(value);
    default:
      return undefined;
  }
}
