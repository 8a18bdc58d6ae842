import createClient, { type Client } from 'openapi-fetch';
import type { paths } from './generated/schema.js';
import { HitheConnectionError, problemOf } from './errors.js';
import { type EventStreamOptions, type ServerEvent, readEvents } from './event-stream.js';
import { Session, type TokenStore, type Tokens } from './session.js';

export interface HitheClientOptions {
  /** Address of the server, e.g. `http://localhost:7070`; the prefix `/api/v1` is added by the paths. */
  server: string;
  tokens: TokenStore;
  /** Sent as `User-Agent` where the platform allows it. */
  userAgent?: string;
  /** Replaces the platform's own; `Request` must fit `fetch`. */
  fetch?: (request: Request) => Promise<Response>;
  Request?: typeof Request;
}

/** The typed API of one server, with log-in and event streams. Every method throws `HitheApiError` or `HitheConnectionError`. */
export interface HitheClient {
  readonly server: string;
  /** One method per verb, typed by the OpenAPI document: `api.GET('/api/v1/me')`. */
  readonly api: Client<paths>;
  readonly session: Session;
  /** The events of a stream, resumed after a lost connection. `path` includes `/api/v1`. */
  events(path: string, query: Record<string, string>, options?: EventStreamOptions): AsyncGenerator<ServerEvent, void, undefined>;
}

/** What the server answers to a log-in and to a refresh. */
interface SessionAnswer {
  accessToken: string;
  refreshToken: string;
  /** Seconds. */
  expiresIn: number;
}

/** The tokens of a log-in's answer, with the time at which they end. */
export function tokensOf(answer: SessionAnswer, now = Date.now()): Tokens {
  return { accessToken: answer.accessToken, refreshToken: answer.refreshToken, expiresAt: now + answer.expiresIn * 1000 };
}

/** Makes a client. Opens no connection by itself. */
export function createHitheClient(options: HitheClientOptions): HitheClient {
  const server = options.server.replace(/\/+$/, '');
  const send = connectionErrors(server, options.fetch ?? ((request) => fetch(request)));
  const RequestClass = options.Request ?? Request;
  const session = new Session(options.tokens, refreshWith(server, send, RequestClass));
  const authorised = withSession(session, send);
  const api = createClient<paths>({
    baseUrl: server,
    fetch: authorised,
    Request: RequestClass,
    redirect: 'manual',
    ...(options.userAgent === undefined ? {} : { headers: { 'user-agent': options.userAgent } }),
  });
  const events: HitheClient['events'] = (path, query, streamOptions) => {
    const search = new URLSearchParams(query).toString();
    const url = `${server}${path}${search === '' ? '' : `?${search}`}`;
    return readEvents(
      (lastEventId, signal) =>
        authorised(
          new RequestClass(url, {
            headers: { accept: 'text/event-stream', ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) },
            signal,
          }),
        ),
      streamOptions,
    );
  };
  return { server, api, session, events };
}

type Send = (request: Request) => Promise<Response>;

function connectionErrors(server: string, send: Send): Send {
  return async (request) => {
    try {
      return await send(request);
    } catch (error) {
      throw new HitheConnectionError(server, error);
    }
  };
}

/** Every way to log in, and the refresh, carry their own secret: a stale access token must not get in their way, and none is sent twice. */
function isPublic(request: Request): boolean {
  return /\/api\/v1\/auth\/(?:login|refresh|passkeys|oidc)(?:\/|$)/.test(new URL(request.url).pathname);
}

/** Adds the access token, renews it once when the server refuses it, and turns error answers into exceptions. */
function withSession(session: Session, send: Send): Send {
  const attempt = async (request: Request, token: string | undefined): Promise<Response> => {
    if (token !== undefined) request.headers.set('authorization', `Bearer ${token}`);
    return send(request);
  };
  return async (request) => {
    const token = isPublic(request) ? undefined : await session.accessToken();
    const spare = token === undefined ? undefined : request.clone();
    let response = await attempt(request, token);
    if (response.status === 401 && token !== undefined && spare !== undefined) {
      const renewed = await session.accessToken(token);
      if (renewed !== undefined && renewed !== token) response = await attempt(spare, renewed);
    }
    if (response.status >= 300) throw await problemOf(response);
    return response;
  };
}

function refreshWith(server: string, send: Send, RequestClass: typeof Request) {
  return async (refreshToken: string): Promise<Tokens | undefined> => {
    const response = await send(
      new RequestClass(`${server}/api/v1/auth/refresh`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ refreshToken }),
      }),
    );
    if (response.status === 401) return undefined;
    if (!response.ok) throw await problemOf(response);
    return tokensOf((await response.json()) as SessionAnswer);
  };
}

/** The data of an answer that has data: `await dataOf(api.GET('/api/v1/me'))`. */
export async function dataOf<A extends { data?: unknown }>(answer: Promise<A>): Promise<NonNullable<A['data']>> {
  const { data } = await answer;
  if (data === undefined || data === null) throw new TypeError('The server answered without the data that its API promises.');
  return data;
}

/** All items of a paged list, fetched page by page. */
export async function allItems<T>(page: (cursor: string | undefined) => Promise<{ items: T[]; nextCursor?: string | null }>): Promise<T[]> {
  const all: T[] = [];
  let cursor: string | undefined;
  do {
    const { items, nextCursor } = await page(cursor);
    all.push(...items);
    cursor = nextCursor ?? undefined;
  } while (cursor !== undefined);
  return all;
}
