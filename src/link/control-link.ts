import { Logger } from '@nestjs/common';
import type { WebSocket } from 'ws';
import { newId } from '../common/ids.js';
import { asSystem } from '../common/request-context.js';
import type { AllocationsService } from '../modules/nodes/allocations.service.js';
import type { NodeLink, NodeLinks } from '../modules/nodes/node-links.js';
import type { NodesService } from '../modules/nodes/nodes.service.js';
import type { TasksService } from '../modules/nodes/tasks.service.js';
import type { UsageReports } from '../modules/usage/usage-reports.js';
import { LogStreams } from './log-streams.js';
import { type AgentMessage, agentMessageSchema, type ControlMessage, LINK_PROTOCOL, type LogLine, type LogQuery } from './messages.js';

/** Close codes of the application's own range. */
export const CLOSE_REFUSED = 4001;
export const CLOSE_REPLACED = 4002;

/** An agent reaches the rows of all teams that its node runs: each service looks at nothing but those of the node. */
const PART = 'link';
const PING_MS = 15_000;
const HELLO_MS = 10_000;

/** What a link needs of the rest of the control plane. */
export interface LinkServices {
  nodes: NodesService;
  allocations: AllocationsService;
  tasks: TasksService;
  links: NodeLinks;
  usage: UsageReports;
}

/**
 * The control plane's end of one node's link. Messages are handled one after the other; whatever the agent sends is
 * checked first. A message that cannot be understood ends the link with its reason.
 */
export class ControlLink implements NodeLink {
  readonly id = newId();
  private readonly logger = new Logger('Link');
  private readonly streams = new LogStreams((message) => {
    this.send(message);
  });
  private readonly ping: NodeJS.Timeout;
  private readonly helloDeadline: NodeJS.Timeout;
  private handling: Promise<void> = Promise.resolve();
  private greeted = false;
  private answered = true;
  private pushing = false;
  private pushAgain = false;
  private sentGeneration = -1;

  constructor(
    readonly nodeId: string,
    private readonly socket: WebSocket,
    private readonly services: LinkServices,
    private readonly ended: (link: ControlLink) => void,
  ) {
    socket.on('message', (data: Buffer) => {
      asSystem(PART, () => {
        this.received(data.toString());
      });
    });
    socket.on('pong', () => (this.answered = true));
    socket.on('close', () => {
      asSystem(PART, () => {
        this.onClose();
      });
    });
    socket.on('error', (error) => {
      this.logger.warn(`The link of node ${nodeId} failed: ${error.message}`);
    });
    this.ping = setInterval(() => {
      asSystem(PART, () => {
        this.checkAlive();
      });
    }, PING_MS);
    this.helloDeadline = setTimeout(() => {
      this.refuse(`no hello within ${HELLO_MS / 1000} s`);
    }, HELLO_MS);
  }

  logs(query: LogQuery, signal: AbortSignal): AsyncIterable<LogLine> {
    return this.streams.read(query, signal);
  }

  /** Whether the agent has said hello: only then is it the node's link. */
  get isGreeted(): boolean {
    return this.greeted;
  }

  /** Ends the link because the node has a newer one. */
  replace(): void {
    this.send({ type: 'refused', reason: 'This node has connected again; only its newest link counts.' });
    this.socket.close(CLOSE_REPLACED, 'replaced');
  }

  /** Ends the link; the agent comes back by itself. */
  close(): void {
    this.socket.close(1001, 'the control plane stops');
  }

  /** Sends the whole desired state, if it is newer than what was sent. Calls that come meanwhile make it look once more. */
  push(): void {
    if (!this.greeted) return;
    this.pushAgain = true;
    if (this.pushing) return;
    this.pushing = true;
    this.pushAll()
      .catch((error: unknown) => {
        this.failed('The desired state could not be sent', error);
      })
      .finally(() => (this.pushing = false));
  }

  /** Sends a task that the node has not answered yet. */
  async sendTask(taskId: string): Promise<void> {
    const task = await this.services.tasks.pending(taskId);
    if (task !== null && this.greeted) this.send({ type: 'task', taskId, task: task.payload });
  }

  private async pushAll(): Promise<void> {
    while (this.pushAgain) {
      this.pushAgain = false;
      const desired = await this.services.allocations.desiredOf(this.nodeId);
      if (desired.generation <= this.sentGeneration) continue;
      this.sentGeneration = desired.generation;
      this.send({ type: 'desired', ...desired });
    }
  }

  private received(text: string): void {
    this.answered = true;
    this.handling = this.handling
      .then(() => this.handle(text))
      .catch((error: unknown) => {
        this.failed('A message could not be handled', error);
      });
  }

  private async handle(text: string): Promise<void> {
    if (this.socket.readyState !== this.socket.OPEN) return;
    const parsed = parse(text);
    if (typeof parsed === 'string') {
      this.refuse(parsed);
    } else if (parsed.type === 'hello') {
      await this.greet(parsed);
    } else if (this.greeted) {
      await this.dispatch(parsed);
    } else {
      this.refuse('The first message must be hello.');
    }
  }

  private async greet(hello: Extract<AgentMessage, { type: 'hello' }>): Promise<void> {
    clearTimeout(this.helloDeadline);
    await this.services.nodes.linked(this.nodeId, this.id, hello.node);
    this.greeted = true;
    this.services.links.add(this.nodeId, this);
    this.push();
    for (const task of await this.services.tasks.pendingOf(this.nodeId)) this.send({ type: 'task', taskId: task.id, task: task.payload });
  }

  private async dispatch(message: Exclude<AgentMessage, { type: 'hello' }>): Promise<void> {
    const { nodes, allocations, tasks } = this.services;
    switch (message.type) {
      case 'observed':
        await allocations.observe(this.nodeId, message.allocations, new Date());
        return;
      case 'heartbeat':
        if (!(await nodes.seen(this.nodeId, this.id, message.node))) this.replace();
        return;
      case 'task-result':
        await tasks.finish(this.nodeId, message.taskId, message);
        return;
      case 'log-lines':
        this.streams.lines(message.streamId, message.lines);
        return;
      case 'log-end':
        this.streams.end(message.streamId, message.error);
        return;
      case 'usage':
        await this.services.usage.record(this.nodeId, message.report);
        this.send({ type: 'usage-confirmed', stream: message.report.stream, sequence: message.report.sequence });
        return;
      case 'progress': {
        const place = await allocations.locate(this.nodeId, message.allocationId);
        if (place !== null) this.services.links.progress.next({ ...place, step: message.step, text: message.text });
        return;
      }
    }
  }

  private send(message: ControlMessage): void {
    if (this.socket.readyState === this.socket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private refuse(reason: string): void {
    this.logger.warn(`Refused the link of node ${this.nodeId}: ${reason}`);
    this.send({ type: 'refused', reason });
    this.socket.close(CLOSE_REFUSED, 'refused');
  }

  private failed(what: string, error: unknown): void {
    this.logger.error(
      `${what} (node ${this.nodeId}): ${error instanceof Error ? error.message : String(error)}`,
      error instanceof Error ? error.stack : undefined,
    );
    // The agent comes back and both sides state everything anew: nothing is lost by that.
    this.socket.close(1011, 'internal error');
  }

  private checkAlive(): void {
    if (!this.answered) {
      this.socket.terminate();
      return;
    }
    this.answered = false;
    this.socket.ping();
    if (!this.greeted) return;
    this.services.nodes.seen(this.nodeId, this.id).then(
      (current) => {
        if (!current) this.replace();
      },
      (error: unknown) => {
        this.logger.warn(`Could not note that node ${this.nodeId} is there: ${String(error)}`);
      },
    );
  }

  private onClose(): void {
    clearInterval(this.ping);
    clearTimeout(this.helloDeadline);
    this.services.links.remove(this.nodeId, this);
    this.streams.endAll();
    this.ended(this);
    this.services.nodes.unlinked(this.nodeId, this.id).catch((error: unknown) => {
      this.logger.warn(`Could not note that node ${this.nodeId} went away: ${String(error)}`);
    });
  }
}

/** A checked message, or why it is refused. Another protocol is named as such, even if nothing else of it can be read. */
export function parse(text: string): AgentMessage | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'A message is not JSON.';
  }
  const protocol = protocolOf(value);
  if (protocol !== undefined && protocol !== LINK_PROTOCOL) {
    return `This agent speaks version ${JSON.stringify(protocol)} of the link's protocol, the control plane version ${LINK_PROTOCOL}. Update the older of the two.`;
  }
  const result = agentMessageSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  return `A message does not follow the protocol: ${issue === undefined ? 'unknown reason' : `${issue.path.map(String).join('.')}: ${issue.message}`}`;
}

function protocolOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'hello' && 'protocol' in value
    ? value.protocol
    : undefined;
}
