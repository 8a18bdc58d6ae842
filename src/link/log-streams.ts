import { DomainError } from '../common/domain-error.js';
import { newId } from '../common/ids.js';
import type { ControlMessage, LogLine, LogQuery } from './messages.js';

/** Lines that may wait for a slow reader before its stream is cut; it resumes after the last line that it has seen. */
const MOST_WAITING_LINES = 20_000;

interface OpenStream {
  push(lines: readonly LogLine[]): void;
  end(error?: Error): void;
}

/** The log streams that are open over one link. */
export class LogStreams {
  private readonly open = new Map<string, OpenStream>();

  constructor(private readonly send: (message: ControlMessage) => void) {}

  /** Asks the node for lines until it ends the stream, the link fails, or `signal` aborts; then the node is told to stop. */
  async *read(query: LogQuery, signal: AbortSignal): AsyncGenerator<LogLine> {
    const streamId = newId();
    const waiting: LogLine[] = [];
    let ended = false;
    let failure: Error | undefined;
    let wake = (): void => undefined;
    const end = (error?: Error): void => {
      ended = true;
      failure ??= error;
      wake();
    };
    const push = (lines: readonly LogLine[]): void => {
      waiting.push(...lines);
      if (waiting.length > MOST_WAITING_LINES) end(tooSlow());
      wake();
    };
    const abort = (): void => {
      end();
    };
    this.open.set(streamId, { push, end });
    signal.addEventListener('abort', abort, { once: true });
    try {
      if (signal.aborted) return;
      this.send({ type: 'log-open', streamId, query });
      for (;;) {
        const batch = waiting.splice(0);
        yield* batch;
        if (waiting.length > 0) continue;
        if (isOver(ended)) break;
        await new Promise<void>((resolve) => (wake = resolve));
      }
      if (failure !== undefined) throw failure;
    } finally {
      signal.removeEventListener('abort', abort);
      if (this.open.delete(streamId)) this.send({ type: 'log-close', streamId });
    }
  }

  lines(streamId: string, lines: readonly LogLine[]): void {
    this.open.get(streamId)?.push(lines);
  }

  /** The node has no more lines, or cannot read them. */
  end(streamId: string, error: string | undefined): void {
    const stream = this.open.get(streamId);
    this.open.delete(streamId);
    stream?.end(
      error === undefined ? undefined : new DomainError('unavailable', 'LOGS_UNAVAILABLE', `The node cannot read the log: ${error}`),
    );
  }

  /** The link is gone: every reader comes back over the next one. */
  endAll(): void {
    for (const stream of this.open.values())
      stream.end(new DomainError('unavailable', 'NODE_NOT_CONNECTED', 'The agent of the node went away.'));
    this.open.clear();
  }
}

/** A call keeps the compiler from believing that a variable cannot change while it waits. */
function isOver(ended: boolean): boolean {
  return ended;
}

function tooSlow(): DomainError {
  return new DomainError('unavailable', 'READER_TOO_SLOW', 'Lines come faster than they are read.', {
    fix: 'Connect again; the stream resumes where it was.',
  });
}
