import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const ROLE_ID = '59d6d1ca-47bb-4e7e-a40b-8be3bc5a0ba8';
const SECRET_ID = 'the-secret-id-of-the-test';

/**
 * A server that answers the part of the HTTP API of HashiCorp Vault and OpenBao that Hithe uses, as their public documentation describes
 * it: reading a KV engine (version 2) and the log-in of an AppRole. It stands in for the real one, which cannot be installed here.
 */
export class VaultServer {
  static readonly roleId = ROLE_ID;
  static readonly secretId = SECRET_ID;
  /** Path below the mount → versions, the first is 1; null: deleted. */
  private readonly entries = new Map<string, (Record<string, unknown> | null)[]>();
  private readonly tokens = new Set<string>();
  private server: Server | undefined;
  private port = 0;
  logins = 0;
  sealed = false;
  /** Answers 403 below this path. */
  forbidden: string | undefined;

  constructor(private readonly mount = 'kv') {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Listens, on the same network port as before. */
  async start(): Promise<void> {
    const server = createServer((request, response) => {
      void this.answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    server?.closeAllConnections();
    await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  }

  /** Adds a version. */
  put(path: string, data: Record<string, unknown> | null): void {
    this.entries.set(path, [...(this.entries.get(path) ?? []), data]);
  }

  /** Every token is worth nothing from now on. */
  revokeTokens(): void {
    this.tokens.clear();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const send = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (this.sealed) {
      send(503, { errors: ['Vault is sealed'] });
      return;
    }
    if (request.method === 'POST' && url.pathname === '/v1/auth/approle/login') {
      this.logIn(JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>, send);
      return;
    }
    const path = decodeURIComponent(url.pathname);
    const prefix = `/v1/${this.mount}/data/`;
    const token = request.headers['x-vault-token'];
    const isForbidden = this.forbidden !== undefined && path.startsWith(`${prefix}${this.forbidden}`);
    if (typeof token !== 'string' || !this.tokens.has(token) || isForbidden)
      send(403, { errors: ['1 error occurred:\n\t* permission denied\n\n'] });
    else if (request.method === 'GET' && path.startsWith(prefix))
      this.read(path.slice(prefix.length), url.searchParams.get('version'), send);
    else send(404, { errors: [] });
  }

  private logIn(body: Record<string, unknown>, send: (status: number, body: object) => void): void {
    if (body['role_id'] !== ROLE_ID || body['secret_id'] !== SECRET_ID) {
      send(400, { errors: ['invalid role or secret ID'] });
      return;
    }
    this.logins += 1;
    const token = `hvs.${this.logins}`;
    this.tokens.add(token);
    send(200, { auth: { client_token: token, lease_duration: 1_200, renewable: true, policies: ['default', 'hithe'] }, data: null });
  }

  private read(path: string, wanted: string | null, send: (status: number, body: object) => void): void {
    const versions = this.entries.get(path) ?? [];
    const version = wanted === null || wanted === '0' ? versions.length : Number(wanted);
    const data = versions[version - 1];
    const metadata = {
      created_time: '2026-03-01T12:00:00Z',
      deletion_time: data === null ? '2026-03-02T12:00:00Z' : '',
      destroyed: false,
      version,
    };
    if (data === undefined) send(404, { errors: [] });
    else send(data === null ? 404 : 200, { data: { data, metadata } });
  }
}
