import { type Deployment, HitheApiError, type Project, type ProjectStatus, dataOf } from '@hithe/client';
import { usageError } from '../cli-error.js';
import type { Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { writeError } from '../report-error.js';
import { confirmByName } from '../ui/confirm.js';
import { tookText } from '../ui/progress.js';
import { applyFile } from './apply.js';
import { conclude, failureOf, run } from './follow.js';
import { addressesOf } from './status.js';
import { projectNameOr, requireProjectFile } from './which-project.js';

export interface WaitOption {
  wait?: boolean;
}

/** `hithe deploy`: brings a project to its specification; with a file, applies that first. */
export async function deploy(context: Context, name: string | undefined, options: WaitOption & { file?: string }): Promise<ExitCode> {
  const file = name === undefined || options.file !== undefined ? await requireProjectFile(context, options.file) : undefined;
  if (file?.name !== undefined && name !== undefined && file.name !== name) {
    throw usageError(`${file.shownPath} is of the project "${file.name}", not "${name}".`, { fix: `hithe deploy -f ${file.shownPath}` });
  }
  const project = file === undefined ? await context.project(name ?? '') : await applyFile(context, file);
  try {
    const { deployment, exitCode } = await run(context, project.id, { kind: 'deploy' }, options);
    return await finish(context, project, deployment, exitCode, options);
  } catch (error) {
    const refused = error instanceof HitheApiError && error.code === 'DEPLOYMENT_ALREADY_ACTIVE';
    if (refused && file !== undefined) context.note(`${project.name}'s new specification is applied, but not deployed.`);
    throw error;
  }
}

export type LifecycleKind = 'start' | 'stop' | 'restart';
const DONE: Readonly<Record<LifecycleKind, string>> = { start: 'started', stop: 'stopped', restart: 'restarted' };

/** `hithe start`, `stop` and `restart`, of a project or some of its components. */
export async function lifecycle(
  context: Context,
  kind: LifecycleKind,
  name: string | undefined,
  components: string[],
  options: WaitOption,
): Promise<ExitCode> {
  const project = await context.project(await projectNameOr(context, name));
  const { deployment, exitCode } = await run(context, project.id, { kind, ...(components.length === 0 ? {} : { components }) }, options);
  return finish(
    context,
    project,
    deployment,
    exitCode,
    options,
    `${components.length === 0 ? project.name : components.join(', ')} ${DONE[kind]}`,
  );
}

/** `hithe delete`: asks for the project's name unless `--confirm` gives it. Data is kept unless `--purge`. */
export async function remove(
  context: Context,
  name: string,
  options: WaitOption & { confirm?: string; purge?: boolean },
): Promise<ExitCode> {
  const project = await context.project(name);
  const data = options.purge === true ? ' and all its data' : '';
  const deleting = { name: project.name, doing: `Deleting ${project.name}${data}`, command: `hithe delete ${project.name}` };
  await confirmByName(context, deleting, options.confirm);
  const { api } = await context.client();
  const started = await dataOf(
    api.DELETE('/api/v1/projects/{projectId}', {
      params: { path: { projectId: project.id }, query: { confirm: project.name, purge: options.purge === true } },
    }),
  );
  const { deployment, exitCode } = await conclude(context, started, options);
  const kept = options.purge === true ? 'with all its data' : 'its data is kept on the node, in tenants/<team>/.kept below HITHE_HOME';
  return finish(context, project, deployment, exitCode, options, `${project.name} deleted, ${kept}`);
}

async function finish(
  context: Context,
  project: Project,
  deployment: Deployment,
  exitCode: ExitCode,
  options: WaitOption,
  done?: string,
): Promise<ExitCode> {
  if (options.wait === false) {
    context.show(deployment, () => `${deployment.kind} of ${project.name} has begun: ${deployment.id}`);
    context.note(`next: hithe deployments --id ${deployment.id}`);
    return exitCode;
  }
  if (deployment.state !== 'succeeded') {
    if (context.json) context.show(deployment, () => '');
    return writeError(context.io, failureOf(deployment, project.name), context.json);
  }
  const release = deployment.release === null ? '' : `, release ${deployment.release}`;
  context.show(
    deployment,
    () => `${context.colors.green('✔')} ${done ?? `${project.name} deployed${release}`} in ${tookText(deployment)}.`,
  );
  if (!context.json) await showOutcome(context, project, deployment.kind);
  return exitCode;
}

/** After a deploy where the project answers; after a stop which components now miss what they need. */
async function showOutcome(context: Context, project: Project, kind: Deployment['kind']): Promise<void> {
  if (kind !== 'deploy' && kind !== 'stop') return;
  const { api } = await context.client();
  const status: ProjectStatus = await dataOf(
    api.GET('/api/v1/projects/{projectId}/status', { params: { path: { projectId: project.id } } }),
  );
  if (kind === 'deploy') for (const { component, url } of addressesOf(status)) context.print(`  ${component}: ${url}`);
  else for (const { name, effect } of status.components) if (effect !== undefined) context.print(`  ${name} ${effect}`);
}
