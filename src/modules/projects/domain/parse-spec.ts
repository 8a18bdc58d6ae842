import type { z } from 'zod';
import { DomainError, type Fault } from '../../../common/domain-error.js';
import { nearest } from './suggest.js';
import { componentSpecSchema, projectSpecSchema, type ProjectSpec } from './project-spec.js';

export type ParsedSpec = { ok: true; spec: ProjectSpec } | { ok: false; faults: Fault[] };

/** Reads the shape of a project file; says every fault with its place, and never throws. */
export function parseProjectSpec(input: unknown): ParsedSpec {
  const result = projectSpecSchema.safeParse(input);
  if (result.success) return { ok: true, spec: result.data };
  return { ok: false, faults: result.error.issues.flatMap((issue) => faultsOf(issue, [])) };
}

/** The error that carries all faults of a project file. */
export function specInvalid(faults: Fault[]): DomainError {
  const [first] = faults;
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
  const detail = first === undefined ? '' : `: ${first.path === '' ? '' : `${first.path}: `}${first.message}`;
  return new DomainError('invalid', 'PROJECT_SPEC_INVALID', `The project file has ${count}${detail}`, {
    faults,
    fix: 'Mend every place that `errors` names, then apply again; nothing was changed.',
  });
}

function dotted(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}

function faultsOf(issue: z.core.$ZodIssue, above: readonly PropertyKey[]): Fault[] {
  const path = [...above, ...issue.path];
  const place = dotted(path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(path, key));
    case 'invalid_type':
      return [typeFault(place, issue.expected, 'input' in issue ? issue.input : undefined, issue.message)];
    case 'invalid_union':
      return unionFaults(issue, path);
    case 'invalid_key':
      return [{ path: place, code: 'NAME_INVALID', message: issue.issues[0]?.message ?? issue.message, fix: 'Rename it, e.g. "my-db".' }];
    case 'invalid_format':
      return [{ path: place, code: 'SPEC_FORMAT', message: issue.message, fix: 'Write it as the message says.' }];
    default:
      return [
        { path: place, code: 'SPEC_VALUE', message: issue.message, fix: 'See GET /api/v1/schemas/project for what is allowed here.' },
      ];
  }
}

function unknownKey(path: readonly PropertyKey[], key: string): Fault {
  const known =
    path[0] === 'components' && path.length === 2
      ? Object.keys(componentSpecSchema.shape)
      : path.length === 0
        ? ['name', 'components']
        : [];
  const near = nearest(key, known);
  return {
    path: dotted([...path, key]),
    code: 'KEY_UNKNOWN',
    message: `"${key}" is not known here.`,
    fix: near === undefined ? 'Remove it.' : `Did you mean "${near}"?`,
  };
}

function typeFault(path: string, expected: string, _input: unknown, message: string): Fault {
  if (message.endsWith('received undefined')) {
    return { path, code: 'KEY_MISSING', message: `This is missing; it must be a ${word(expected)}.`, fix: `Add it, a ${word(expected)}.` };
  }
  return {
    path,
    code: 'TYPE_WRONG',
    message: `This must be a ${word(expected)} (${message.replace(/^Invalid input: /, '')}).`,
    fix: `Write a ${word(expected)} here.`,
  };
}

function word(expected: string): string {
  const words: Record<string, string> = {
    record: 'mapping of names',
    object: 'mapping',
    array: 'list',
    string: 'text',
    int: 'whole number',
  };
  return words[expected] ?? expected;
}

/** A union fails in every branch; the branch with the deepest or fewest complaints is what the writer meant. */
function unionFaults(issue: z.core.$ZodIssueInvalidUnion, path: readonly PropertyKey[]): Fault[] {
  const place = dotted(path);
  if (path.at(-1) === 'source') {
    return [
      {
        path: place,
        code: 'SOURCE_INVALID',
        message: 'A source is either {path: ./directory} or {git: https://…, ref: main}.',
        fix: 'Write one of the two forms.',
      },
    ];
  }
  const expected = issue.errors.flatMap((branch) =>
    branch.flatMap((inner) => (inner.code === 'invalid_type' ? [word(inner.expected)] : [])),
  );
  if (expected.length > 0) {
    const kinds = [...new Set(expected)].join(' or ');
    return [{ path: place, code: 'TYPE_WRONG', message: `This must be ${kinds}.`, fix: `Write ${kinds} here.` }];
  }
  return issue.errors.flatMap((branch) => branch.flatMap((inner) => faultsOf(inner, path))).slice(0, 1);
}
