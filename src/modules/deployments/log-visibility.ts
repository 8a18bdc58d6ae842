import type { ServerEvent } from '../../http/event-streams.js';
import type { Deployment } from './deployment.entity.js';

/** The deployment as those see it who may know how it went, and not what the components wrote. */
export function withoutLogLines(deployment: Deployment): Deployment {
  if (deployment.failure !== null) deployment.failure = { ...deployment.failure, logTail: [] };
  return deployment;
}

/** The same for its history; numbers of events are skipped, not changed. */
export async function* eventsWithoutLogLines(events: AsyncIterable<ServerEvent>): AsyncGenerator<ServerEvent> {
  for await (const event of events) {
    if (event.event !== 'log') yield { ...event, data: withoutTail(event.data) };
  }
}

function withoutTail(data: unknown): unknown {
  if (typeof data !== 'object' || data === null || !('failure' in data)) return data;
  const { failure } = data;
  return typeof failure === 'object' && failure !== null ? { ...data, failure: { ...failure, logTail: [] } } : data;
}
