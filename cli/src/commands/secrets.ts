import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { allItems, dataOf } from '@hithe/client';
import { usageError } from '../cli-error.js';
import type { Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { writeError } from '../report-error.js';
import { columns } from '../ui/columns.js';
import { askSecret } from '../ui/prompt.js';
import { sanitizeLine } from '../ui/sanitize.js';
import { age } from '../ui/time.js';
import { failureOf, run } from './follow.js';
import { projectNameOr } from './which-project.js';

/** The options of the commands about variables. */
export interface SecretOptions {
  project?: string | undefined;
  component?: string | undefined;
  plain?: boolean | undefined;
  reference?: boolean | undefined;
  fromFile?: string | undefined;
  deploy?: boolean | undefined;
}

/** What the server says of one change. */
export interface Change {
  name: string;
  component: string | null;
  action: 'created' | 'changed' | 'unchanged' | 'removed';
  version?: number;
}

type Kind = 'plain' | 'secret' | 'reference';

const LONGEST_SHOWN = 60;

/** `hithe secrets list`: what is set, or what one component gets. */
export async function listVariables(context: Context, options: SecretOptions): Promise<void> {
  const { api, id } = await open(context, options);
  const { items } = await dataOf(
    api.GET('/api/v1/projects/{projectId}/variables', { params: { path: { projectId: id }, query: scope(options) } }),
  );
  const rows = items.map(({ name, component, origin, kind, value, version, setBy, setAt, inUse }) => [
    name,
    options.component === undefined ? (component ?? '(project)') : origin,
    kind,
    shortened(value ?? ''),
    version === null ? '' : String(version),
    setBy?.email ?? '',
    setAt === null ? '' : age(setAt),
    inUse === false ? context.colors.yellow('with the next deploy') : inUse === true ? 'yes' : '',
  ]);
  const where = options.component === undefined ? 'OF' : 'FROM';
  context.show(items, () => columns([['NAME', where, 'KIND', 'VALUE', 'VERSION', 'BY', 'AGE', 'IN USE'], ...rows]));
  if (items.length === 0) context.note('next: hithe secrets set NAME');
}

/** `hithe secrets set`: values from the terminal, the standard input or a file. */
export async function setVariables(context: Context, names: readonly string[], options: SecretOptions): Promise<ExitCode | undefined> {
  const given = names.map((text) => split(text));
  const fromOutside = given.filter(({ value }) => value === undefined || value === '-');
  if (options.fromFile !== undefined && (given.length !== 1 || fromOutside.length !== 1)) {
    throw usageError('--from-file gives the value of one NAME.', { fix: 'hithe secrets set NAME --from-file FILE' });
  }
  const kind: Kind = options.reference === true ? 'reference' : options.plain === true ? 'plain' : 'secret';
  const inArgv = given.find(({ value }) => value !== undefined && value !== '-');
  if (kind === 'secret' && inArgv !== undefined) {
    throw usageError(`A secret on the command line is seen by every user of this machine and kept in the shell's history.`, {
      code: 'SECRET_ON_COMMAND_LINE',
      fix: `hithe secrets set ${inArgv.name}   (asks for it; or pipe it into: hithe secrets set ${inArgv.name}=-; not secret: add --plain)`,
    });
  }
  const variables: { name: string; kind: Kind; value: string }[] = [];
  for (const { name, value } of given) {
    const isElsewhere = value === undefined || value === '-';
    variables.push({ name, kind, value: isElsewhere ? await valueOf(context, name, value, options, fromOutside.length) : value });
  }
  const project = await open(context, options);
  const { changes } = await dataOf(
    project.api.PUT('/api/v1/projects/{projectId}/variables', {
      params: { path: { projectId: project.id } },
      body: { variables, ...scope(options) },
    }),
  );
  return concludeChanges(context, project, changes, options);
}

/** `hithe secrets unset`. */
export async function unsetVariables(context: Context, names: readonly string[], options: SecretOptions): Promise<ExitCode | undefined> {
  const project = await open(context, options);
  const changes: Change[] = [];
  for (const name of names) {
    await project.api.DELETE('/api/v1/projects/{projectId}/variables/{name}', {
      params: { path: { projectId: project.id, name }, query: scope(options) },
    });
    changes.push({ name, component: options.component ?? null, action: 'removed' });
  }
  return concludeChanges(context, project, changes, options);
}

/** `hithe secrets history`: the versions of a variable. */
export async function listVersions(context: Context, name: string, options: SecretOptions): Promise<void> {
  const { api, id } = await open(context, options);
  const versions = await allItems((cursor) =>
    dataOf(
      api.GET('/api/v1/projects/{projectId}/variables/{name}/history', {
        params: { path: { projectId: id, name }, query: { ...scope(options), ...(cursor === undefined ? {} : { cursor }) } },
      }),
    ),
  );
  const rows = versions.map(({ version, kind, value, setBy, setAt }) => [
    String(version),
    kind,
    shortened(value ?? ''),
    setBy?.email ?? '',
    age(setAt),
  ]);
  context.show(versions, () => columns([['VERSION', 'KIND', 'VALUE', 'BY', 'AGE'], ...rows]));
}

/** `hithe secrets reveal`: secrets in clear; a single one alone on its line, fit for a pipe. */
export async function revealVariables(context: Context, names: readonly string[], options: SecretOptions): Promise<void> {
  const { api, id } = await open(context, options);
  const { items } = await dataOf(
    api.POST('/api/v1/projects/{projectId}/variables/reveal', {
      params: { path: { projectId: id } },
      body: { ...scope(options), ...(names.length === 0 ? {} : { names: [...names] }) },
    }),
  );
  const [only] = items;
  if (names.length === 1 && only !== undefined && !context.json) {
    if (only.value !== null) context.print(only.value);
    else context.note(`${only.name} has not been read yet: a deploy does.`);
    return;
  }
  context.show(items, () => columns([['NAME', 'FROM', 'VALUE'], ...items.map(({ name, origin, value }) => [name, origin, value ?? ''])]));
}

/** The project that the options name, with a client. */
export async function open(context: Context, options: SecretOptions): Promise<OpenProject> {
  const { api } = await context.client();
  const { id, name } = await context.project(await projectNameOr(context, options.project));
  return { api, id, name };
}

/** A project to work on. */
export interface OpenProject {
  api: Awaited<ReturnType<Context['client']>>['api'];
  id: string;
  name: string;
}

/** The scope as the API takes it. */
export function scope({ component }: SecretOptions): { component?: string } {
  return component === undefined ? {} : { component };
}

/** Says what changed and, with `--deploy`, deploys it. */
export async function concludeChanges(
  context: Context,
  project: OpenProject,
  changes: readonly Change[],
  options: { deploy?: boolean | undefined },
): Promise<ExitCode | undefined> {
  const isChanged = changes.some(({ action }) => action !== 'unchanged');
  const text = (): string => changes.map((change) => `${lineOf(change)}\n`).join('');
  if (options.deploy !== true || !isChanged) {
    context.show({ changes }, text);
    if (isChanged) context.note(`It takes effect with the next deploy: hithe deploy ${project.name}`);
    return undefined;
  }
  if (!context.json) context.print(text());
  const { deployment, exitCode } = await run(context, project.id, { kind: 'deploy' }, {});
  if (context.json) context.show({ changes, deployment }, () => '');
  if (deployment.state !== 'succeeded') return writeError(context.io, failureOf(deployment, project.name), context.json);
  if (!context.json) context.print(`${context.colors.green('✔')} ${project.name} deployed, release ${deployment.release ?? '?'}.`);
  return exitCode;
}

/** One change as a line. */
export function lineOf({ name, component, action, version }: Change): string {
  return `${component === null ? name : `${component}.${name}`} ${action}${version === undefined ? '' : `, version ${version}`}`;
}

function split(text: string): { name: string; value: string | undefined } {
  const at = text.indexOf('=');
  return at === -1 ? { name: text, value: undefined } : { name: text.slice(0, at), value: text.slice(at + 1) };
}

async function valueOf(context: Context, name: string, given: string | undefined, options: SecretOptions, count: number): Promise<string> {
  const { io } = context;
  if (options.fromFile !== undefined) return readFile(resolve(io.cwd, options.fromFile), 'utf8');
  if (given === undefined && io.stdin.isTTY === true) return askSecret(io, `Value of ${name}: `);
  if (count > 1) {
    throw usageError('The standard input can give one value only.', { fix: 'Set them one by one, or use: hithe secrets import FILE' });
  }
  const chunks: Buffer[] = [];
  for await (const chunk of io.stdin) chunks.push(Buffer.from(chunk));
  const text = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (text === '') throw usageError('The standard input is empty.', { fix: `printf '%s' "$VALUE" | hithe secrets set ${name}=-` });
  return text;
}

function shortened(value: string): string {
  const safe = sanitizeLine(value, false);
  return safe.length <= LONGEST_SHOWN ? safe : `${safe.slice(0, LONGEST_SHOWN)}…`;
}
