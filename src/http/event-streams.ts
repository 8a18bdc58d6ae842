import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Reauthorisation } from '../auth/reauthorisation.js';
import { stackOf } from '../common/thrown.js';

/** One server-sent event. `id` is what a client resumes after; `data` travels as JSON. */
export interface ServerEvent {
  id?: string | number;
  event?: string;
  data: unknown;
}

export interface StreamContext {
  /** Aborts when the client has gone or the server stops. */
  signal: AbortSignal;
  /** The last event that this client has seen, when it comes back. */
  lastEventId: string | undefined;
}

export type EventSource = AsyncIterable<ServerEvent>;

const HEARTBEAT_MS = 15_000;
const RECONNECT_MS = 1_000;

/**
 * Answers with server-sent events, for as long as the source has any and the caller may have them; ends all streams when the
 * server stops.
 */
@Injectable()
export class EventStreams implements OnModuleDestroy {
  private readonly logger = new Logger(EventStreams.name);
  private readonly open = new Set<AbortController>();
  private stopping = false;

  constructor(private readonly callers: Reauthorisation) {}

  /**
   * Streams what `start` returns. Whatever `start` throws is an ordinary problem answer. A source that fails later cuts the
   * connection, so that the client comes back with its `Last-Event-ID`; so does a caller who lost a right, who is then told so. A
   * source that ends ends the answer.
   */
  async send(request: Request, response: Response, start: (context: StreamContext) => EventSource | Promise<EventSource>): Promise<void> {
    const controller = new AbortController();
    const leave = (): void => {
      controller.abort();
    };
    response.on('close', leave);
    this.open.add(controller);
    let revoked = false;
    const forget = this.callers.watch(request, () => {
      revoked = true;
      leave();
    });
    // Requests still come in until the server is closed, which waits for their end.
    if (this.stopping) controller.abort();
    try {
      const source = await start({ signal: controller.signal, lastEventId: lastEventIdOf(request) });
      begin(response);
      const heartbeat = setInterval(() => response.write(': heartbeat\n\n'), HEARTBEAT_MS);
      try {
        await pump(source, response, controller.signal);
      } finally {
        clearInterval(heartbeat);
      }
      // An ordinary end would say that there is no more.
      if (isSet(revoked)) response.destroy();
      else response.end();
    } catch (error) {
      if (!response.headersSent) throw error;
      if (!controller.signal.aborted) this.logger.error('An event stream failed', stackOf(error));
      response.destroy();
    } finally {
      forget();
      response.off('close', leave);
      this.open.delete(controller);
      controller.abort();
    }
  }

  /** How many streams are open. */
  get size(): number {
    return this.open.size;
  }

  onModuleDestroy(): void {
    this.stopping = true;
    for (const controller of this.open) controller.abort();
  }
}

/** A call keeps the compiler from believing that nothing can have changed meanwhile. */
function isSet(flag: boolean): boolean {
  return flag;
}

function begin(response: Response): void {
  response.status(200);
  response.setHeader('Content-Type', 'text/event-stream; charset=utf-8');
  response.setHeader('Cache-Control', 'no-store');
  // Proxies of the nginx family would hold events back otherwise.
  response.setHeader('X-Accel-Buffering', 'no');
  response.write(`retry: ${RECONNECT_MS}\n\n`);
}

/** Writes events until the source ends or the signal aborts; never faster than the client reads. */
async function pump(source: EventSource, response: Response, signal: AbortSignal): Promise<void> {
  const aborted = once(signal);
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted]);
      if (next === undefined || next.done === true) return;
      if (!response.write(encodeEvent(next.value))) await Promise.race([drained(response), aborted]);
    }
  } finally {
    // Not awaited: a source that is still waiting would only return once it wakes up, which its signal makes happen.
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

/** The text of one event; line breaks in `id` and `event` cannot end a field, since they are taken out. */
export function encodeEvent(event: ServerEvent): string {
  const field = (name: string, value: string | number | undefined): string =>
    value === undefined ? '' : `${name}: ${String(value).replaceAll(/[\r\n]/g, ' ')}\n`;
  return `${field('id', event.id)}${field('event', event.event)}data: ${JSON.stringify(event.data)}\n\n`;
}

function lastEventIdOf(request: Request): string | undefined {
  const id = request.headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}

function once(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else
      signal.addEventListener(
        'abort',
        () => {
          resolve(undefined);
        },
        { once: true },
      );
  });
}

function drained(response: Response): Promise<undefined> {
  return new Promise((resolve) =>
    response.once('drain', () => {
      resolve(undefined);
    }),
  );
}
