/**
 * The few classes of the fetch standard that the client uses, over `node:http`. Merely touching Node's own `fetch`, `Request`
 * or `Headers` loads all of undici, which made every command 45 ms slower on a machine where `node -e 0` takes 28 ms.
 * `cli/build.mjs` puts these in the place of the globals; streaming bodies, caches, cookies and redirects are left out on purpose.
 */
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import * as http from 'node:http';

type HeaderSource = Iterable<readonly [string, string]> | Record<string, string | number | boolean | null | undefined> | undefined;

/** Header fields by lower-case name. */
export class LightHeaders {
  private readonly fields = new Map<string, string>();

  constructor(source?: HeaderSource) {
    const pairs =
      source === undefined ? [] : Symbol.iterator in source ? (source as Iterable<readonly [string, string]>) : Object.entries(source);
    for (const [name, value] of pairs) if (value !== undefined && value !== null) this.set(name, String(value));
  }

  get(name: string): string | null {
    return this.fields.get(name.toLowerCase()) ?? null;
  }

  set(name: string, value: string): void {
    this.fields.set(name.toLowerCase(), value);
  }

  append(name: string, value: string): void {
    const present = this.get(name);
    this.set(name, present === null ? value : `${present}, ${value}`);
  }

  has(name: string): boolean {
    return this.fields.has(name.toLowerCase());
  }

  delete(name: string): void {
    this.fields.delete(name.toLowerCase());
  }

  entries(): IterableIterator<[string, string]> {
    return this.fields.entries();
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }
}

export interface LightRequestInit {
  method?: string;
  headers?: LightHeaders | HeaderSource;
  body?: string | Uint8Array | undefined;
  signal?: AbortSignal | undefined;
}

/** A request whose body, if any, is wholly in memory, so that it can be sent again. */
export class LightRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: LightHeaders;
  readonly body: string | Uint8Array | undefined;
  readonly signal: AbortSignal | undefined;

  constructor(url: string, init: LightRequestInit = {}) {
    this.url = url;
    this.method = init.method ?? 'GET';
    this.headers = new LightHeaders(init.headers);
    this.body = init.body;
    this.signal = init.signal;
  }

  clone(): LightRequest {
    return new LightRequest(this.url, { method: this.method, headers: this.headers, body: this.body, signal: this.signal });
  }
}

/** The answer to a `LightRequest`; its body can be read once. */
export class LightResponse {
  readonly status: number;
  readonly headers: LightHeaders;

  constructor(private readonly message: IncomingMessage) {
    this.status = message.statusCode ?? 0;
    const fields = Object.entries(message.headers).map(([name, value]): [string, string] => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]);
    this.headers = new LightHeaders(fields);
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  async text(): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.message) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString('utf8');
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  /** As much of a ReadableStream as the event stream reads. */
  get body(): { getReader(): { read(): Promise<IteratorResult<Uint8Array, undefined>>; releaseLock(): void } } {
    const iterator = this.message[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
    return { getReader: () => ({ read: () => iterator.next(), releaseLock: () => undefined }) };
  }
}

/** Sends a request and resolves with its answer once the header has arrived; rejects with the system's error otherwise. */
export async function lightFetch(request: LightRequest): Promise<LightResponse> {
  const { request: send } = request.url.startsWith('https:') ? await import('node:https') : http;
  return transmit(send, request, true);
}

type Send = (url: string, options: RequestOptions, answered: (message: IncomingMessage) => void) => ClientRequest;

function transmit(send: Send, request: LightRequest, mayRepeat: boolean): Promise<LightResponse> {
  return new Promise((resolve, reject) => {
    const headers = Object.fromEntries(request.headers);
    if (request.body !== undefined) headers['content-length'] = String(Buffer.byteLength(request.body));
    const options: RequestOptions = { method: request.method, headers };
    const outgoing = send(request.url, options, (message) => {
      resolve(new LightResponse(message));
    });
    // Not by the option `signal`: an abort after the answer's end would be an uncaught error then (seen on Node 24).
    const abort = (): void => {
      reject(new Error('The request was aborted.'));
      outgoing.destroy();
    };
    request.signal?.addEventListener('abort', abort, { once: true });
    outgoing.on('close', () => request.signal?.removeEventListener('abort', abort));
    outgoing.on('error', (error) => {
      // The server closed an idle kept-alive connection just as it was used again: the request was never read.
      if (mayRepeat && outgoing.reusedSocket && 'code' in error && error.code === 'ECONNRESET') {
        resolve(transmit(send, request, false));
      } else reject(error);
    });
    outgoing.end(request.body);
  });
}
