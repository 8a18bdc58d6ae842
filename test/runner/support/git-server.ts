import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** A git server over HTTPS with a certificate of its own, on git's own CGI program. `/redirect/…` leads to the repositories. */
export class GitServer {
  private constructor(
    private readonly server: Server,
    private readonly directory: string,
  ) {}

  static async listen(directory: string): Promise<GitServer> {
    mkdirSync(join(directory, 'repositories'), { recursive: true });
    const key = join(directory, 'key.pem');
    const certificate = join(directory, 'ca.pem');
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2'];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate, ...subject], {
      stdio: 'ignore',
    });
    const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) });
    const git = new GitServer(server, directory);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => git.answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return git;
  }

  /** The certificate that a client must trust. */
  get certificate(): string {
    return join(this.directory, 'ca.pem');
  }

  url(path: string): string {
    return `https://localhost:${(this.server.address() as AddressInfo).port}/${path}`;
  }

  /** Commits files to the branch `main` of a repository, which is made when it is missing; gives the commit. */
  commit(repository: string, files: Record<string, string>): string {
    const path = join(this.directory, 'repositories', repository);
    const git = (...args: string[]): string =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'init.defaultBranch=main', '-C', path, ...args], {
        encoding: 'utf8',
      });
    mkdirSync(path, { recursive: true });
    git('init', '--quiet');
    for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
    git('add', '--all');
    git('commit', '--quiet', '--message', 'x');
    return git('rev-parse', 'HEAD').trim();
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, search, searchParams } = new URL(request.url ?? '', 'https://localhost');
    if (pathname.startsWith('/redirect/')) {
      response.writeHead(302, { location: this.url(pathname.slice('/redirect/'.length)) + search }).end();
      return;
    }
    const backend = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env['PATH'],
        GIT_PROJECT_ROOT: join(this.directory, 'repositories'),
        GIT_HTTP_EXPORT_ALL: '1',
        // The repositories belong to whoever runs the tests.
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'safe.directory',
        GIT_CONFIG_VALUE_0: '*',
        REQUEST_METHOD: request.method,
        PATH_INFO: pathname,
        QUERY_STRING: searchParams.toString(),
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      },
    });
    request.pipe(backend.stdin);
    let output = Buffer.alloc(0);
    backend.stdout.on('data', (chunk: Buffer) => {
      output = Buffer.concat([output, chunk]);
    });
    backend.on('close', () => {
      const end = output.indexOf('\r\n\r\n');
      const headers = output
        .toString('utf8', 0, end)
        .split('\r\n')
        .map((line) => line.split(': ') as [string, string]);
      const status = headers.find(([name]) => name === 'Status')?.[1] ?? '200';
      response.writeHead(Number.parseInt(status, 10), Object.fromEntries(headers.filter(([name]) => name !== 'Status')));
      response.end(output.subarray(end + 4));
    });
  }
}
