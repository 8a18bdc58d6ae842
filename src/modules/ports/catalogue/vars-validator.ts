import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Fault } from '../../../common/domain-error.js';
import type { Port, ValidatedVars, VarToGenerate } from './catalogue.types.js';
import { asText, propertiesOf } from './vars.js';

const compiled = new WeakMap<Record<string, unknown>, ValidateFunction>();

/**
 * The validator of a vars schema; throws when it is not a JSON Schema 2020-12. Keywords that nobody knows are an error in
 * our own schemas (a slip of the pen) and are passed over in foreign ones.
 */
export function compileVarsSchema(schema: Record<string, unknown>, strict = true): ValidateFunction {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  // One instance each: two foreign schemas may carry the same $id. Types are strict except for unions, which libscript uses.
  const ajv = new Ajv2020({
    allErrors: true,
    coerceTypes: true,
    useDefaults: true,
    strict,
    logger: false,
    strictTypes: false,
    strictRequired: false,
  });
  addFormats.default(ajv);
  ajv.addKeyword({ keyword: 'x-hithe-generate', schemaType: 'string', metaSchema: { enum: ['password'] } });
  // `x-` is anybody's.
  for (const keyword of foreignKeywords(schema)) if (ajv.getKeyword(keyword) === false) ajv.addKeyword(keyword);
  const validate = ajv.compile(schema);
  compiled.set(schema, validate);
  return validate;
}

function foreignKeywords(schema: Record<string, unknown>): string[] {
  const names = [schema, ...Object.values(propertiesOf(schema))].flatMap((part) => Object.keys(part));
  return names.filter((name) => name.startsWith('x-'));
}

/**
 * Checks a component's vars against its port's schema: unknown ones, missing ones, wrong types, each fault with its place
 * below `path` and its mend. Values come back as text with defaults filled in; what the platform must make up is listed.
 */
export function validateVars(
  port: Pick<Port, 'name' | 'varsSchema'>,
  vars: Readonly<Record<string, unknown>>,
  path = 'vars',
): ValidatedVars {
  const generate = varsToGenerate(port.varsSchema, vars);
  // A generated value stands in, so that "required" is met; patterns are the port's own affair.
  const given: Record<string, unknown> = { ...vars };
  const validate = compileVarsSchema(port.varsSchema);
  const ok = validate(given);
  const generated = new Set(generate.map((entry) => entry.name));
  const faults = ok ? [] : toFaults(port, validate.errors ?? [], path, generated);
  const known = propertiesOf(port.varsSchema);
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    const text = asText(value);
    if (text === undefined) continue;
    values[name] = text;
    if (name in known && text.includes('\0'))
      faults.push({ path: `${path}.${name}`, code: 'VAR_INVALID', message: `${name} holds a NUL character.` });
  }
  return { values, faults, generate };
}

function varsToGenerate(schema: Record<string, unknown>, vars: Readonly<Record<string, unknown>>): VarToGenerate[] {
  return Object.entries(propertiesOf(schema))
    .filter(([name, property]) => property['writeOnly'] === true && property['x-hithe-generate'] === 'password' && vars[name] === undefined)
    .map(([name]) => ({ name, kind: 'password' }));
}

function toFaults(
  port: Pick<Port, 'name' | 'varsSchema'>,
  errors: readonly ErrorObject[],
  path: string,
  generated: ReadonlySet<string>,
): Fault[] {
  const faults = errors.flatMap((error) => toFault(port, error, path, generated) ?? []);
  // A union reports each of its branches; one fault a place says enough.
  return [...new Map(faults.map((fault) => [`${fault.path} ${fault.code}`, fault])).values()];
}

function toFault(
  port: Pick<Port, 'name' | 'varsSchema'>,
  error: ErrorObject,
  path: string,
  generated: ReadonlySet<string>,
): Fault | undefined {
  const params = error.params as Record<string, unknown>;
  const known = Object.keys(propertiesOf(port.varsSchema));
  if (error.keyword === 'required') {
    const name = String(params['missingProperty']);
    if (generated.has(name)) return undefined;
    return {
      path: `${path}.${name}`,
      code: 'VAR_MISSING',
      message: `The port ${port.name} needs the var ${name}.`,
      fix: `Set vars.${name}: ${describe(port, name)}`,
    };
  }
  if (error.keyword === 'additionalProperties' || error.keyword === 'unevaluatedProperties') {
    const name = String(params['additionalProperty'] ?? params['unevaluatedProperty']);
    const fix = known.length === 0 ? `Remove it; the port ${port.name} has no vars.` : `Remove it, or use one of: ${known.join(', ')}.`;
    return { path: `${path}.${name}`, code: 'VAR_UNKNOWN', message: `The port ${port.name} has no var ${name}.`, fix };
  }
  const name = error.instancePath.split('/')[1];
  if (name === undefined) return { path, code: 'VAR_INVALID', message: `The vars are not valid: ${error.message ?? error.keyword}.` };
  const code = error.keyword === 'type' ? 'VAR_TYPE' : 'VAR_INVALID';
  return { path: `${path}.${name}`, code, message: `${name} ${explain(error)}.`, fix: `Set vars.${name}: ${describe(port, name)}` };
}

/** Says what is wrong without repeating the value, which may be a secret. */
function explain(error: ErrorObject): string {
  const params = error.params as Record<string, unknown>;
  if (error.keyword === 'enum') return `must be one of ${(params['allowedValues'] as unknown[]).map(String).join(', ')}`;
  return error.message ?? `fails "${error.keyword}"`;
}

function describe(port: Pick<Port, 'varsSchema'>, name: string): string {
  const property = propertiesOf(port.varsSchema)[name] ?? {};
  const type: unknown = property['type'];
  const description = typeof property['description'] === 'string' ? ` ${property['description']}` : '';
  return `${Array.isArray(type) ? type.join(' or ') : typeof type === 'string' ? type : 'any value'}.${description}`;
}
