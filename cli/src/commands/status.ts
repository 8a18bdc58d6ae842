import { type ComponentStatus, type ProjectStatus, dataOf } from '@hithe/client';
import { CliError } from '../cli-error.js';
import type { Context } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { columns } from '../ui/columns.js';
import { sanitizeLine } from '../ui/sanitize.js';
import { type Colors, paintState } from '../ui/style.js';
import { age } from '../ui/time.js';
import { projectNameHere, projectNameOr } from './which-project.js';

/** `hithe projects`: the team's projects. */
export async function projects(context: Context): Promise<void> {
  const { api } = await context.client();
  const team = await context.team();
  const { items, nextCursor } = await dataOf(api.GET('/api/v1/projects', { params: { query: { teamId: team.id, limit: 200 } } }));
  context.show(items, () => {
    if (items.length === 0) return `The team ${team.slug} has no project yet: hithe deploy -f hithe.yaml`;
    const rows = items.map((project) => [
      project.name,
      paintState(context.colors, project.state),
      String(project.release ?? '-'),
      age(project.updatedAt),
    ]);
    return columns([['PROJECT', 'STATE', 'RELEASE', 'CHANGED'], ...rows]);
  });
  if (nextCursor !== null) context.note('There are more than these 200.');
}

/** `hithe status`: the components of a project; without a name and a hithe.yaml here, the team's projects. */
export async function status(context: Context, name: string | undefined): Promise<void> {
  if (name === undefined && (await projectNameHere(context)) === undefined) return projects(context);
  const project = await context.project(await projectNameOr(context, name));
  const { api } = await context.client();
  const result = await dataOf(api.GET('/api/v1/projects/{projectId}/status', { params: { path: { projectId: project.id } } }));
  context.show({ ...result, protected: project.protected }, () => statusText(result, project.protected, context.colors));
}

const HEAD = ['COMPONENT', 'PORT', 'VERSION', 'STATE', 'HEALTH', 'RESTARTS', 'PID', 'UP', 'ADDRESS'];

function statusText(result: ProjectStatus, isProtected: boolean, colors: Colors): string {
  const release = result.release === null ? 'not deployed yet' : `release ${result.release}`;
  const head = `${colors.bold(result.project)}  ${paintState(colors, result.state)}  ${paintState(colors, result.health)}  ${colors.dim(release)}${isProtected ? '  protected' : ''}\n`;
  const rows = result.components.map((component) => componentRow(component, colors));
  const remarks = result.components.flatMap((component) =>
    remarksOf(component).map((remark) => `${colors.bold(component.name)}: ${remark}`),
  );
  const active =
    result.activeDeploymentId === undefined ? [] : [`A deployment is active: hithe deployments --id ${result.activeDeploymentId}`];
  const notes = [...remarks, ...active].map((line) => `${line}\n`).join('');
  return `${head}\n${columns([HEAD, ...rows])}${notes === '' ? '' : `\n${notes}`}`;
}

function componentRow(component: ComponentStatus, colors: Colors): string[] {
  const { name, port, version, resolvedVersion, state, health, restarts, pid, startedAt } = component;
  const up = state === 'running' ? age(startedAt) : '-';
  const addresses = component.endpoints.map((endpoint) => endpoint.url ?? `${endpoint.address}:${endpoint.port}`).join(' ');
  const shown = state === 'running' ? health : '-';
  return [
    name,
    port,
    resolvedVersion ?? version ?? '-',
    paintState(colors, state),
    paintState(colors, shown),
    String(restarts),
    String(pid ?? '-'),
    up,
    addresses,
  ];
}

function remarksOf(component: ComponentStatus): string[] {
  const remarks: string[] = [];
  if (component.message !== undefined) remarks.push(component.message);
  if (component.health === 'unhealthy' && component.healthMessage !== undefined) remarks.push(component.healthMessage);
  if (component.effect !== undefined) remarks.push(component.effect);
  return remarks.map((remark) => sanitizeLine(remark, false));
}

/** The addresses at which a project's components answer by HTTP. */
export function addressesOf(result: ProjectStatus): { component: string; url: string }[] {
  return result.components.flatMap(({ name, endpoints }) =>
    endpoints.flatMap(({ url }) => (url?.startsWith('http') === true ? [{ component: name, url }] : [])),
  );
}

/** `hithe health`: exit code 1 when a component is not healthy. */
export async function health(context: Context, name: string | undefined): Promise<ExitCode> {
  const project = await context.project(await projectNameOr(context, name));
  const { api } = await context.client();
  const result = await dataOf(api.GET('/api/v1/projects/{projectId}/health', { params: { path: { projectId: project.id } } }));
  context.show(result, () => {
    const rows = result.components.map(({ name: component, health: word, message, since }) => [
      component,
      paintState(context.colors, word),
      age(since),
      sanitizeLine(message ?? '', false),
    ]);
    const verdict = result.healthy ? context.colors.green('healthy') : context.colors.red('not healthy');
    return `${context.colors.bold(project.name)} is ${verdict}\n\n${columns([['COMPONENT', 'HEALTH', 'SINCE', ''], ...rows])}`;
  });
  return result.healthy ? EXIT.ok : EXIT.failed;
}

/** `hithe open`: prints the address of a project's page and opens it where there is a desktop. */
export async function open(context: Context, name: string | undefined, component: string | undefined): Promise<void> {
  const project = await context.project(await projectNameOr(context, name));
  const { api } = await context.client();
  const result = await dataOf(api.GET('/api/v1/projects/{projectId}/status', { params: { path: { projectId: project.id } } }));
  const addresses = addressesOf(result).filter((address) => component === undefined || address.component === component);
  const [first] = addresses;
  if (first === undefined) {
    throw new CliError(EXIT.notFound, `${component ?? project.name} has no address that a browser can open.`, {
      code: 'NO_ADDRESS',
      fix: `hithe status ${project.name}`,
    });
  }
  context.show(first, () => first.url);
  const { DISPLAY, WAYLAND_DISPLAY } = context.io.env;
  if (context.json || context.io.stdout.isTTY !== true || (DISPLAY ?? WAYLAND_DISPLAY) === undefined) return;
  const { spawn } = await import('node:child_process');
  const browser = spawn('xdg-open', [first.url], { detached: true, stdio: 'ignore' });
  browser.on('error', () => {
    context.note('There is no xdg-open here to start a browser with.');
  });
  browser.unref();
}
