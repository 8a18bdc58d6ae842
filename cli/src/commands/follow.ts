import { type Deployment, type DeploymentStep, type ServerEvent, dataOf } from '@hithe/client';
import { CliError } from '../cli-error.js';
import type { Context } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { LineProgress, LiveProgress, type Progress, SilentProgress, tookText } from '../ui/progress.js';
import { sanitizeLine } from '../ui/sanitize.js';

const FINAL = new Set(['succeeded', 'rolled_back', 'failed', 'cancelled', 'superseded']);
const AWAY_MS = 10 * 60_000;

/** Whether a deployment in this state changes no more. */
export function isFinal(state: string): boolean {
  return FINAL.has(state);
}

/** Shows a deployment's progress until it ends, and returns it as it ended. Losing the server in between is survived. */
export async function follow(context: Context, deployment: Deployment): Promise<Deployment> {
  const client = await context.client();
  const progress = progressFor(context);
  const stop = onInterrupt(deployment, progress);
  try {
    for (const step of deployment.steps) progress.step(step);
    if (!isFinal(deployment.state)) {
      const events = client.events(
        `/api/v1/deployments/${deployment.id}/events`,
        {},
        {
          giveUpAfterMs: AWAY_MS,
          onGap: (_error, attempt) => {
            if (attempt === 3) progress.note('The server does not answer; trying again. The deployment goes on without this command.');
          },
        },
      );
      for await (const event of events) if (showEvent(event, progress)) break;
    }
    const ended = await dataOf(client.api.GET('/api/v1/deployments/{deploymentId}', { params: { path: { deploymentId: deployment.id } } }));
    for (const step of ended.steps) progress.step(step);
    return ended;
  } finally {
    stop();
    progress.finish();
  }
}

function progressFor(context: Context): Progress {
  const { stderr, env } = context.io;
  if (context.json) return new SilentProgress();
  return stderr.isTTY === true && env['TERM'] !== 'dumb' ? new LiveProgress(stderr, context.colors) : new LineProgress(stderr);
}

/** Ctrl-C leaves the deployment to itself, and says so. */
function onInterrupt(deployment: Deployment, progress: Progress): () => void {
  const interrupted = (): void => {
    progress.finish();
    process.stderr.write(`\nThe deployment goes on. See: hithe deployments --id ${deployment.id}\n`);
    process.exit(EXIT.interrupted);
  };
  process.once('SIGINT', interrupted);
  return () => process.removeListener('SIGINT', interrupted);
}

/** Shows one event; returns whether it was the last. */
function showEvent({ event, data }: ServerEvent, progress: Progress): boolean {
  if (event === 'end') return true;
  const fields = typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {};
  const { component, text, state } = fields;
  if (event === 'component' && isStep(fields)) progress.step(fields);
  if (event === 'log' && typeof component === 'string' && typeof text === 'string') progress.log(component, text);
  return event === 'state' && typeof state === 'string' && isFinal(state);
}

function isStep(value: object): value is DeploymentStep {
  return (
    'component' in value && typeof value.component === 'string' && 'step' in value && typeof value.step === 'string' && 'state' in value
  );
}

/** Starts a deployment of a kind and, unless told not to, follows it to its end. */
export async function run(
  context: Context,
  projectId: string,
  request: { kind: 'deploy' | 'start' | 'stop' | 'restart'; components?: string[] },
  options: { wait?: boolean },
): Promise<{ deployment: Deployment; exitCode: ExitCode }> {
  const { api } = await context.client();
  const { randomUUID } = await import('node:crypto');
  const deployment = await dataOf(
    api.POST('/api/v1/projects/{projectId}/deployments', {
      params: { path: { projectId }, header: { 'Idempotency-Key': randomUUID() } },
      body: request,
    }),
  );
  return conclude(context, deployment, options);
}

/** Follows a deployment that exists to its end, unless told not to; the exit code says whether it succeeded. */
export async function conclude(
  context: Context,
  deployment: Deployment,
  options: { wait?: boolean },
): Promise<{ deployment: Deployment; exitCode: ExitCode }> {
  if (options.wait === false) return { deployment, exitCode: EXIT.ok };
  const ended = await follow(context, deployment);
  return { deployment: ended, exitCode: ended.state === 'succeeded' ? EXIT.ok : EXIT.failed };
}

/** The error of a deployment that failed: component, step, exit, last log lines, mend. */
export function failureOf(deployment: Deployment, project: string): CliError {
  const { failure } = deployment;
  const kept = deployment.state === 'rolled_back' ? ' What ran before runs again.' : '';
  const took = tookText(deployment);
  if (failure === undefined) {
    return new CliError(EXIT.failed, `${deployment.kind} of ${project} is ${deployment.state} after ${took}.${kept}`, {
      code: 'DEPLOYMENT_FAILED',
    });
  }
  const exit = failure.exitCode === undefined ? (failure.signal ?? '') : `exit code ${failure.exitCode}`;
  const where = `${failure.component === undefined ? '' : `${failure.component}: `}${failure.step}`;
  const tail = failure.logTail.map((line) => `  | ${sanitizeLine(line, false)}`).join('\n');
  return new CliError(EXIT.failed, `${deployment.kind} of ${project} failed after ${took}.${kept}`, {
    code: 'DEPLOYMENT_FAILED',
    faults: [
      {
        place: exit === '' ? where : `${where} (${exit})`,
        message: failure.message,
        ...(tail === '' ? {} : { excerpt: tail }),
        ...(failure.fix === undefined ? {} : { fix: failure.fix }),
      },
    ],
    fix: failure.component === undefined ? `hithe status ${project}` : `hithe logs ${project} ${failure.component}`,
  });
}
