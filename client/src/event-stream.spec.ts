import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHitheClient, type HitheClient } from './client.js';
import { HitheApiError, HitheConnectionError } from './errors.js';
import type { ServerEvent } from './event-stream.js';
import { MemoryTokenStore } from './session.js';

async function collect(events: AsyncIterable<ServerEvent>): Promise<ServerEvent[]> {
  const all: ServerEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

type Answer = (lastEventId: string | undefined, response: ServerResponse) => void;

describe('readEvents', () => {
  let server: Server;
  let answers: Answer[];
  let client: HitheClient;

  beforeEach(async () => {
    answers = [];
    server = createServer((request, response) => {
      const answer = answers.shift();
      if (answer === undefined) response.writeHead(204).end();
      else answer(request.headers['last-event-id'] as string | undefined, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    client = createHitheClient({ server: url, tokens: new MemoryTokenStore({ accessToken: 'x' }) });
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const stream = (response: ServerResponse, text: string): void => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(text);
  };

  it('yields events, with comments and split chunks in between', async () => {
    answers.push((_id, response) => {
      stream(response, ': hello\n\nid: 1\nevent: line\ndata: {"text":');
      setImmediate(() => response.end('"ü"}\n\n'));
    });
    const events = await collect(client.events('/x', {}));
    expect(events).toEqual([{ event: 'line', id: '1', data: { text: 'ü' } }]);
  });

  it('resumes after the last event when the connection breaks or the server fails for a while', async () => {
    const asked: (string | undefined)[] = [];
    answers.push(
      (id, response) => {
        asked.push(id);
        stream(response, 'id: 7\ndata: 1\n\n');
        setImmediate(() => response.destroy());
      },
      (id, response) => {
        asked.push(id);
        response.writeHead(503).end('busy');
      },
      (id, response) => {
        asked.push(id);
        stream(response, 'id: 8\ndata: 2\n\n');
        response.end();
      },
    );
    const gaps: number[] = [];
    const events = await collect(client.events('/x', {}, { onGap: (_error, attempt) => gaps.push(attempt) }));
    expect(events.map(({ data }) => data)).toEqual([1, 2]);
    expect(asked).toEqual([undefined, '7', '7']);
    expect(gaps.length).toBeGreaterThanOrEqual(2);
  });

  it('throws what the server refuses, without trying again', async () => {
    answers.push((_id, response) =>
      response
        .writeHead(404, { 'content-type': 'application/problem+json' })
        .end('{"title":"T","status":404,"code":"NOT_THERE","detail":"no"}'),
    );
    const read = collect(client.events('/x', {}));
    await expect(read).rejects.toThrow(HitheApiError);
    await expect(read).rejects.toMatchObject({ code: 'NOT_THERE', status: 404 });
  });

  it('ends without an error when it is aborted', async () => {
    answers.push((_id, response) => {
      stream(response, 'data: 1\n\n');
    });
    const controller = new AbortController();
    const seen: unknown[] = [];
    for await (const { data } of client.events('/x', {}, { signal: controller.signal })) {
      seen.push(data);
      controller.abort();
    }
    expect(seen).toEqual([1]);
  });

  it('gives up when the server stays away for too long', async () => {
    const away = createHitheClient({ server: 'http://127.0.0.1:9', tokens: new MemoryTokenStore({ accessToken: 'x' }) });
    const read = collect(away.events('/x', {}, { giveUpAfterMs: 0 }));
    await expect(read).rejects.toThrow(HitheConnectionError);
  });
});
