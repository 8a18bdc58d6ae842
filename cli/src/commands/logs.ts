import { type LogLine, dataOf } from '@hithe/client';
import type { Context } from '../context.js';
import { LogPrinter } from '../ui/log-printer.js';
import { projectNameOr } from './which-project.js';

export interface LogsOptions {
  follow?: boolean;
  lines: number;
  timestamps?: boolean;
}

/** `hithe logs`: the last lines of a project or component, and with `-f` all further ones; a lost connection is resumed. */
export async function logs(context: Context, name: string | undefined, component: string | undefined, options: LogsOptions): Promise<void> {
  const project = await context.project(await projectNameOr(context, name));
  const client = await context.client();
  const printer = new LogPrinter(context, { prefix: component === undefined, timestamps: options.timestamps === true });
  const filter = component === undefined ? {} : { component };
  if (options.follow !== true) {
    const query = { lines: options.lines, ...filter };
    const answer = await dataOf(
      client.api.GET('/api/v1/projects/{projectId}/logs', { params: { path: { projectId: project.id }, query } }),
    );
    // The path can answer with an event stream too, but only when that is asked for.
    if (typeof answer !== 'string') for (const line of answer.items) printer.print(line);
    return;
  }
  const events = client.events(
    `/api/v1/projects/${project.id}/logs`,
    { follow: 'true', lines: String(options.lines), ...filter },
    {
      onGap: (_error, attempt) => {
        if (attempt === 3) context.note('The server does not answer; trying again.');
      },
    },
  );
  for await (const { event, data } of events) {
    if (event === 'line' && isLogLine(data)) printer.print(data);
    if (event === 'end' || event === 'error') {
      const message = typeof data === 'object' && data !== null && 'message' in data ? String(data.message) : undefined;
      if (message !== undefined) context.note(message);
      if (event === 'end') return;
    }
  }
}

function isLogLine(value: unknown): value is LogLine {
  return (
    typeof value === 'object' &&
    value !== null &&
    'component' in value &&
    'text' in value &&
    'at' in value &&
    typeof value.text === 'string'
  );
}
