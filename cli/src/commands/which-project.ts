import { usageError } from '../cli-error.js';
import type { Context } from '../context.js';
import { type ProjectFile, findProjectFile, readProjectFile } from '../project-file/project-file.js';

/** Reads the project file that `-f` or the working directory names; an error when there is none. */
export async function requireProjectFile(context: Context, given: string | undefined): Promise<ProjectFile> {
  const path = await findProjectFile(context.io.cwd, given);
  if (path !== undefined) return readProjectFile(path, context.io.cwd);
  throw usageError('There is no hithe.yaml here.', {
    code: 'FILE_NOT_FOUND',
    fix: 'Give one with -f, or the name of a project that is applied already: hithe projects',
  });
}

/** The name in the hithe.yaml of the working directory, if there is one. */
export async function projectNameHere(context: Context): Promise<string | undefined> {
  const path = await findProjectFile(context.io.cwd, undefined);
  return path === undefined ? undefined : (await readProjectFile(path, context.io.cwd)).name;
}

/** The name given, else the name in the hithe.yaml of the working directory; an error when there is neither. */
export async function projectNameOr(context: Context, name: string | undefined): Promise<string> {
  const found = name ?? (await projectNameHere(context));
  if (found !== undefined) return found;
  throw usageError('Which project?', {
    code: 'PROJECT_MISSING',
    fix: 'Give its name (hithe projects lists them), or run this beside its hithe.yaml.',
  });
}
