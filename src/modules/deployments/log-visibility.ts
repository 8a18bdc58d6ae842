import type { ServerEvent } from '../../http/event-streams.js';
import type { Deployment } from './deployment.entity.js';
import type { Failure } from './domain/deployment.js';

/**
 * The deployment as those see it who may know how it went, and not what the components wrote: messages of nodes quote the last line of a
 * script or of a test.
 */
export function withoutLogLines(deployment: Deployment): Deployment {
  if (deployment.failure !== null) deployment.failure = withoutWords(deployment.failure);
  deployment.actions = deployment.actions.map((action) => ({
    ...action,
    steps: action.steps.map(({ message: _message, ...step }) => step),
  }));
  return deployment;
}

/** The same for its history; numbers of events are skipped, not changed. */
export async function* eventsWithoutLogLines(events: AsyncIterable<ServerEvent>): AsyncGenerator<ServerEvent> {
  for await (const event of events) {
    if (event.event !== 'log') yield { ...event, data: withoutQuotes(event.data) };
  }
}

function withoutQuotes(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return data;
  const rest: { message?: unknown; failure?: Failure } = { ...data };
  delete rest.message;
  return rest.failure === undefined ? rest : { ...rest, failure: withoutWords(rest.failure) };
}

function withoutWords(failure: Failure): Failure {
  const { component, step, exitCode, signal } = failure;
  const how = signal !== undefined ? ` by ${signal}` : exitCode !== undefined ? ` with code ${exitCode}` : '';
  const message = `${component === undefined ? step : `${step} of ${component}`} ended${how}. Who may read logs sees why.`;
  return { ...failure, message, logTail: [] };
}
