import { type Plan, type Project, HitheApiError, dataOf } from '@hithe/client';
import { type PlacedFault, usageError } from '../cli-error.js';
import type { Context } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import type { ProjectFile } from '../project-file/project-file.js';
import type { PackedSource } from '../source/pack.js';
import { packSources, withSources } from '../source/upload.js';
import { columns } from '../ui/columns.js';
import { type Colors, paintState } from '../ui/style.js';
import { requireProjectFile } from './which-project.js';

/** Uploads the sources of a project file and makes its spec the project's; deploys nothing. */
export async function applyFile(context: Context, file: ProjectFile): Promise<Project> {
  const client = await context.client();
  const team = await context.team();
  const { spec, packed } = await packSources(file);
  const name = projectName(file);
  const put = (): Promise<Project> =>
    dataOf(client.api.PUT('/api/v1/teams/{teamId}/projects/{name}', { params: { path: { teamId: team.id, name } }, body: { spec } }));
  return withPlaces(file, () => withSources(client, team.id, [...packed.values()], put));
}

function projectName(file: ProjectFile): string {
  if (file.name !== undefined && file.name !== '') return file.name;
  throw usageError(`${file.shownPath} has no name.`, {
    code: 'NAME_MISSING',
    faults: file.place([{ place: 'name', message: 'A project needs a name.', fix: 'Add a first line such as: name: guestbook' }]),
  });
}

/** Gives the faults that the server names by path their line and column. */
async function withPlaces<T>(file: ProjectFile, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof HitheApiError) || error.status !== 400 || error.problem.errors === undefined) throw error;
    const faults = error.problem.errors.map(({ path, message, fix }): PlacedFault => ({
      place: path.replace(/^spec\.?/, ''),
      message,
      ...(fix === undefined ? {} : { fix }),
    }));
    throw usageError(`${file.shownPath} is not valid; nothing was changed.`, {
      code: error.code,
      faults: file.place(faults),
      cause: error,
    });
  }
}

/** `hithe apply`. */
export async function apply(context: Context, options: { file?: string }): Promise<void> {
  const file = await requireProjectFile(context, options.file);
  const project = await applyFile(context, file);
  context.show(project, () => `${context.colors.bold(project.name)}: specification ${project.specVersion} applied.`);
  context.note(`next: hithe deploy ${project.name}`);
}

/** `hithe plan`: what a deploy would do. Exit code 2 when a check fails. */
export async function plan(context: Context, name: string | undefined, options: { file?: string }): Promise<ExitCode> {
  const file = name === undefined || options.file !== undefined ? await requireProjectFile(context, options.file) : undefined;
  const client = await context.client();
  const team = await context.team();
  const { spec, packed } =
    file === undefined
      ? { spec: (await context.project(name ?? '')).spec, packed: new Map<string, PackedSource>() }
      : await packSources(file);
  const ask = (): Promise<Plan> =>
    dataOf(client.api.POST('/api/v1/teams/{teamId}/plan', { params: { path: { teamId: team.id } }, body: { spec } }));
  const result = await withSources(client, team.id, [...packed.values()], ask);
  context.show(result, () => planText(result, context.colors, file));
  return result.ok ? EXIT.ok : EXIT.usage;
}

const MARKS: Readonly<Record<Plan['changes'][number]['action'], string>> = {
  create: '+',
  update: '~',
  restart: '↻',
  none: '=',
  remove: '-',
};

function planText(result: Plan, colors: Colors, file: ProjectFile | undefined): string {
  const parts: string[] = [];
  if (result.changes.length > 0) {
    const rows = result.changes.map(({ component, action, reasons }) => [MARKS[action], component, action, reasons.join('; ')]);
    parts.push(`${colors.bold(`Plan for ${result.project}`)}\n${columns(rows)}`);
  }
  if (result.versions.length > 0) {
    const rows = result.versions.map((version) => [
      version.component,
      version.port,
      version.resolvedVersion ?? version.version,
      version.installed ? 'installed' : 'to be installed',
    ]);
    parts.push(columns([['COMPONENT', 'PORT', 'VERSION', ''], ...rows]));
  }
  const checks = result.checks.map((check) => `${paintState(colors, check.status)} ${checkText(check, file, colors)}`);
  if (checks.length > 0) parts.push(`${checks.join('\n')}\n`);
  parts.push(result.ok ? 'Nothing was changed. Deploy with: hithe deploy' : colors.red('This cannot be deployed; nothing was changed.'));
  return parts.join('\n');
}

/** A check as text; when it is about a place in the project file, with its line. */
function checkText(check: Plan['checks'][number], file: ProjectFile | undefined, colors: Colors): string {
  const path = /^(?:name|components)[\w.[\]-]*(?=: )/.exec(check.message)?.[0];
  const [fault] =
    path === undefined || file === undefined ? [] : file.place([{ place: path, message: check.message.slice(path.length + 2) }]);
  const where = check.component === undefined ? '' : `${check.component}: `;
  const text = fault === undefined ? `${where}${check.message}` : `${colors.bold(fault.place)}: ${fault.message}`;
  return check.fix === undefined ? text : `${text}\n      ${colors.cyan('mend:')} ${check.fix}`;
}
