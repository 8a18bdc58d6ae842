import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type WebSocket, WebSocketServer } from 'ws';
import { NodeCredentialVerifier } from '../auth/node-credential-verifier.js';
import { withRequestContext } from '../common/request-context.js';
import { Config } from '../config/config.js';
import { Notifications } from '../database/notifications.js';
import { DeniedAttempts } from '../http/denied-attempts.js';
import { AllocationsService } from '../modules/nodes/allocations.service.js';
import { NodeLinks } from '../modules/nodes/node-links.js';
import { desiredChanged, nodeLinked, taskCreated } from '../modules/nodes/nodes.channels.js';
import { NodesService } from '../modules/nodes/nodes.service.js';
import { TasksService } from '../modules/nodes/tasks.service.js';
import { UsageReports } from '../modules/usage/usage-reports.js';
import { ControlLink, type LinkServices } from './control-link.js';
import { LINK_PATH } from './messages.js';

/** Room for the observations of thousands of allocations. */
const LARGEST_MESSAGE_BYTES = 16 * 1024 * 1024;

/** Accepts the links of nodes on the HTTP server, and tells each what has changed as soon as a transaction commits. */
@Injectable()
export class LinkServer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Link');
  private readonly server = new WebSocketServer({ noServer: true, maxPayload: LARGEST_MESSAGE_BYTES, perMessageDeflate: false });
  private readonly open = new Set<ControlLink>();
  private readonly services: LinkServices;
  private readonly stops: (() => void)[] = [];

  constructor(
    private readonly http: HttpAdapterHost,
    private readonly config: Config,
    private readonly credentials: NodeCredentialVerifier,
    private readonly notifications: Notifications,
    private readonly nodes: NodesService,
    private readonly denied: DeniedAttempts,
    allocations: AllocationsService,
    tasks: TasksService,
    links: NodeLinks,
    usage: UsageReports,
  ) {
    this.services = { nodes, allocations, tasks, links, usage };
  }

  async onApplicationBootstrap(): Promise<void> {
    const server = this.httpServer();
    if (server === undefined || !this.config.has('api')) return;
    this.stops.push(
      await this.notifications.on(desiredChanged, ({ nodeId }) => {
        this.each(nodeId, (link) => {
          link.push();
        });
      }),
      await this.notifications.on(nodeLinked, ({ nodeId }) => this.replaceOthers(nodeId)),
      await this.notifications.on(taskCreated, async ({ nodeId, taskId }) => {
        for (const link of this.linksOf(nodeId)) await link.sendTask(taskId);
      }),
      this.notifications.onReconnect(() => {
        for (const link of this.open) link.push();
      }),
    );
    const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      if (pathOf(request) === LINK_PATH) void this.upgrade(request, socket, head);
      else refuse(socket, 404, 'Not Found');
    };
    server.on('upgrade', upgrade);
    this.stops.push(() => server.off('upgrade', upgrade));
  }

  beforeApplicationShutdown(): void {
    for (const stop of this.stops) stop();
    for (const link of this.open) link.close();
    this.server.close();
  }

  /** Like a refused request: in the audit log. */
  private noteRefusal(request: IncomingMessage, credentialPresented: boolean): Promise<void> {
    const { remoteAddress } = request.socket;
    const attempt = { code: 'UNAUTHENTICATED', method: 'GET', path: LINK_PATH, route: LINK_PATH, credentialPresented, file: {} };
    return withRequestContext(remoteAddress === undefined ? {} : { address: remoteAddress }, () =>
      this.denied.note({ status: 401, ...attempt }),
    );
  }

  private async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', (error) => {
      this.logger.warn(`A link failed before it stood: ${error.message}`);
    });
    try {
      const credential = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
      const node = credential === undefined ? null : await this.credentials.verify(credential);
      if (node === null) {
        await this.noteRefusal(request, credential !== undefined);
        refuse(socket, 401, 'Unauthorized');
        return;
      }
      this.server.handleUpgrade(request, socket, head, (webSocket) => {
        this.accept(node.nodeId, webSocket);
      });
    } catch (error) {
      this.logger.error('A link could not be accepted', error instanceof Error ? error.stack : String(error));
      refuse(socket, 503, 'Service Unavailable');
    }
  }

  private accept(nodeId: string, socket: WebSocket): void {
    const link = new ControlLink(nodeId, socket, this.services, (ended) => this.open.delete(ended));
    this.open.add(link);
  }

  /** The newest link wins: it belongs to the process that runs now. Which one that is, the database says. */
  private async replaceOthers(nodeId: string): Promise<void> {
    const current = (await this.nodes.find(nodeId))?.linkId;
    this.each(nodeId, (link) => {
      if (link.isGreeted && link.id !== current) link.replace();
    });
  }

  private each(nodeId: string, work: (link: ControlLink) => void): void {
    for (const link of this.linksOf(nodeId)) work(link);
  }

  private linksOf(nodeId: string): ControlLink[] {
    return [...this.open].filter((link) => link.nodeId === nodeId);
  }

  private httpServer(): Server | undefined {
    // Absent in an application without HTTP, such as the bootstrap.
    const host: { httpAdapter?: { getHttpServer(): Server } } = this.http;
    return host.httpAdapter?.getHttpServer();
  }
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}

function refuse(socket: Duplex, status: number, text: string): void {
  socket.end(`HTTP/1.1 ${status} ${text}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
