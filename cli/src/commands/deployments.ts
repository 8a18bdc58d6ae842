import { type Deployment, dataOf } from '@hithe/client';
import type { Context } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { writeError } from '../report-error.js';
import { columns } from '../ui/columns.js';
import { tookText } from '../ui/progress.js';
import { sanitizeLine } from '../ui/sanitize.js';
import { type Colors, paintState } from '../ui/style.js';
import { age, between } from '../ui/time.js';
import { projectNameOr } from './which-project.js';
import { failureOf, follow, isFinal } from './follow.js';

/** `hithe deployments`: a project's newest deployments, or one of them with its steps; an active one is followed with `-f`. */
export async function deployments(
  context: Context,
  name: string | undefined,
  options: { id?: string; follow?: boolean },
): Promise<ExitCode> {
  if (options.id !== undefined) return one(context, options.id, options.follow === true);
  const project = await context.project(await projectNameOr(context, name));
  const { api } = await context.client();
  const { items } = await dataOf(
    api.GET('/api/v1/projects/{projectId}/deployments', { params: { path: { projectId: project.id }, query: { limit: 20 } } }),
  );
  context.show(items, () => {
    const rows = items.map((each) => [
      each.id,
      each.kind,
      paintState(context.colors, each.state),
      String(each.release ?? '-'),
      tookText(each),
      age(each.createdAt),
    ]);
    return columns([['DEPLOYMENT', 'KIND', 'STATE', 'RELEASE', 'TOOK', 'AGE'], ...rows]);
  });
  return EXIT.ok;
}

async function one(context: Context, id: string, following: boolean): Promise<ExitCode> {
  const { api } = await context.client();
  const found = await dataOf(api.GET('/api/v1/deployments/{deploymentId}', { params: { path: { deploymentId: id } } }));
  const deployment = following && !isFinal(found.state) ? await follow(context, found) : found;
  context.show(deployment, () => deploymentText(deployment, context.colors));
  if (deployment.failure === undefined || context.json) return EXIT.ok;
  writeError(context.io, failureOf(deployment, 'the project'), false);
  return following ? EXIT.failed : EXIT.ok;
}

function deploymentText(deployment: Deployment, colors: Colors): string {
  const head = `${colors.bold(deployment.kind)} ${deployment.id}  ${paintState(colors, deployment.state)}  ${tookText(deployment)}\n\n`;
  const rows = deployment.steps.map((step) => [
    step.component,
    step.step,
    paintState(colors, step.state),
    between(step.startedAt, step.finishedAt),
    sanitizeLine(step.message ?? '', false),
  ]);
  return head + columns([['COMPONENT', 'STEP', 'STATE', 'TOOK', ''], ...rows]);
}
