import { readFile, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { type Document, type LineCounter, type YAMLError } from 'yaml';
import { CliError, type PlacedFault, usageError } from '../cli-error.js';
import { isMissing } from '../config/config-file.js';
import { excerptOf } from './excerpt.js';
import { locate } from './locate.js';
import { mendOf } from './yaml-mends.js';

export const PROJECT_FILE_NAMES = ['hithe.yaml', 'hithe.yml'];

/** A hithe.yaml that was read: its plain value, and where each part of it stands. */
export class ProjectFile {
  constructor(
    readonly path: string,
    /** As messages name it: relative to where the command runs. */
    readonly shownPath: string,
    readonly spec: Record<string, unknown>,
    private readonly text: string,
    private readonly document: Document,
    private readonly lines: LineCounter,
  ) {}

  get name(): string | undefined {
    return typeof this.spec['name'] === 'string' ? this.spec['name'] : undefined;
  }

  /** Places faults that the server names by path (`components.web.needs[0]`) at a line and column of the file. */
  place(faults: readonly PlacedFault[]): PlacedFault[] {
    return faults.map((fault) => {
      const offset = locate(this.document, fault.place);
      if (offset === undefined) return fault;
      const { line, col } = this.lines.linePos(offset);
      const message = fault.place === '' ? fault.message : `${fault.place}: ${fault.message}`;
      return { ...fault, place: `${this.shownPath}:${line}:${col}`, message, excerpt: excerptOf(this.text, line, col) };
    });
  }
}

/** The project file that a command means: `given`, a directory's, or the one of `cwd`; undefined when none was given and there is none. */
export async function findProjectFile(cwd: string, given: string | undefined): Promise<string | undefined> {
  if (given !== undefined) {
    const path = resolve(cwd, given);
    const found = await stat(path).catch((error: unknown) => {
      if (isMissing(error))
        throw usageError(`There is no file ${given}.`, { code: 'FILE_NOT_FOUND', fix: 'Give the path of a hithe.yaml with -f.' });
      throw error;
    });
    if (!found.isDirectory()) return path;
    const inside = await firstExisting(path);
    if (inside !== undefined) return inside;
    throw usageError(`There is no hithe.yaml in ${given}.`, { code: 'FILE_NOT_FOUND', fix: 'Give the path of a hithe.yaml with -f.' });
  }
  return firstExisting(cwd);
}

async function firstExisting(directory: string): Promise<string | undefined> {
  for (const name of PROJECT_FILE_NAMES) {
    const path = join(directory, name);
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() === true) return path;
  }
  return undefined;
}

/** Reads a project file; every fault of its YAML is reported with line, column and mend. */
export async function readProjectFile(path: string, cwd: string): Promise<ProjectFile> {
  const shown = shownPath(path, cwd);
  const text = await readFile(path, 'utf8');
  const { parseDocument, LineCounter: Counter } = await import('yaml');
  const lines = new Counter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, version: '1.2' });
  const problems = [...document.errors, ...document.warnings.filter(({ code }) => code !== 'TAG_RESOLVE_FAILED')];
  if (problems.length > 0) throw brokenYaml(shown, text, problems, lines);
  const spec = toObject(document, shown);
  return new ProjectFile(path, shown, spec, text, document, lines);
}

function shownPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short.startsWith('../../..') ? path : short;
}

function toObject(document: Document, shown: string): Record<string, unknown> {
  let value: unknown;
  try {
    // The limit stops a few nested aliases from growing into gigabytes.
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw usageError(`${shown}: ${error instanceof Error ? error.message : String(error)}`, {
      code: 'YAML_INVALID',
      fix: 'Write the parts out instead of using aliases.',
    });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw usageError(`${shown} is ${value === null ? 'empty' : 'not a mapping'}.`, {
    code: 'YAML_INVALID',
    fix: 'Start it with "name: my-project" and "components:"; see examples/guestbook/hithe.yaml.',
  });
}

function brokenYaml(shown: string, text: string, problems: readonly YAMLError[], lines: LineCounter): CliError {
  // One mistake often makes the parser complain about all that follows.
  const faults = problems.slice(0, 3).map((problem): PlacedFault => {
    const { line, col } = lines.linePos(problem.pos[0]);
    const { message, fix } = mendOf(problem, text);
    return { place: `${shown}:${line}:${col}`, message, fix, excerpt: excerptOf(text, line, col) };
  });
  return usageError(`${shown} is not valid YAML.`, {
    code: 'YAML_INVALID',
    faults,
    fix: 'Mend it and run the command again; nothing was changed.',
  });
}
