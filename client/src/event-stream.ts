import { createParser } from 'eventsource-parser';
import { HitheApiError, HitheConnectionError } from './errors.js';

/** One server-sent event. `data` is the parsed JSON; its shape depends on `event` and is for the reader to check. */
export interface ServerEvent {
  event: string;
  id?: string;
  data: unknown;
}

export interface EventStreamOptions {
  signal?: AbortSignal;
  /** Resume after this event. */
  lastEventId?: string;
  /** Told each time the connection is lost, before it is tried again. */
  onGap?: (error: Error, attempt: number) => void;
  /** Give up when the server has been away for this long; by default never. */
  giveUpAfterMs?: number;
}

/** Opens the stream after the event `lastEventId`; throws `HitheApiError` or `HitheConnectionError`. */
export type OpenStream = (lastEventId: string | undefined, signal: AbortSignal) => Promise<Response>;

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 3_000;
/** The server sends a comment every 15 s; silence for longer means that the connection is dead. */
const IDLE_MS = 45_000;

/**
 * Yields a stream's events and, when the connection is lost, resumes after the last one. Ends when `signal` aborts or
 * the server answers 204; throws when the server refuses (any 4xx but 408 and 429), or is away for `giveUpAfterMs`.
 */
export async function* readEvents(open: OpenStream, options: EventStreamOptions = {}): AsyncGenerator<ServerEvent, void, undefined> {
  let lastEventId = options.lastEventId;
  let attempt = 0;
  let awaySince: number | undefined;
  while (options.signal?.aborted !== true) {
    try {
      for await (const event of readOnce(open, lastEventId, options.signal)) {
        attempt = 0;
        awaySince = undefined;
        if (event === 'opened') continue;
        lastEventId = event.id ?? lastEventId;
        yield event;
      }
      return;
    } catch (error) {
      if (isAborted(options.signal)) return;
      if (!isTransient(error)) throw error;
      awaySince ??= Date.now();
      if (options.giveUpAfterMs !== undefined && Date.now() - awaySince > options.giveUpAfterMs) throw error;
      attempt += 1;
      options.onGap?.(error, attempt);
      await pause(Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), LONGEST_DELAY_MS), options.signal);
    }
  }
}

/** The signal may have been aborted while the generator waited; the compiler cannot see that. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

class StreamClosed extends Error {
  override name = 'StreamClosed';
}

function isTransient(error: unknown): error is Error {
  if (error instanceof HitheApiError) return error.status >= 500 || error.status === 429 || error.status === 408;
  return error instanceof HitheConnectionError || error instanceof StreamClosed;
}

/** One connection. Yields `opened` first; returns on 204, throws `StreamClosed` when the server closes. */
async function* readOnce(
  open: OpenStream,
  lastEventId: string | undefined,
  outer: AbortSignal | undefined,
): AsyncGenerator<ServerEvent | 'opened', void, undefined> {
  const controller = new AbortController();
  const abort = (): void => {
    controller.abort();
  };
  outer?.addEventListener('abort', abort, { once: true });
  let idle = setTimeout(abort, IDLE_MS);
  try {
    const response = await open(lastEventId, controller.signal);
    if (response.status === 204) return;
    yield 'opened';
    const arrived: ServerEvent[] = [];
    const parser = createParser({
      onEvent: ({ event, id, data }) => arrived.push({ event: event ?? 'message', ...(id === undefined ? {} : { id }), data: parse(data) }),
    });
    const decoder = new TextDecoder();
    for await (const chunk of chunksOf(response)) {
      clearTimeout(idle);
      idle = setTimeout(abort, IDLE_MS);
      parser.feed(decoder.decode(chunk, { stream: true }));
      yield* arrived.splice(0);
    }
    throw new StreamClosed('The server closed the stream.');
  } catch (error) {
    if (error instanceof HitheApiError || error instanceof HitheConnectionError) throw error;
    throw error instanceof StreamClosed ? error : new StreamClosed('The connection was lost.', { cause: error });
  } finally {
    clearTimeout(idle);
    outer?.removeEventListener('abort', abort);
    controller.abort();
  }
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}

/** The bytes of a response; not every browser can iterate over a ReadableStream. */
async function* chunksOf(response: Response): AsyncGenerator<Uint8Array, void, undefined> {
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.releaseLock();
  }
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    signal?.addEventListener('abort', finish, { once: true });
  });
}
