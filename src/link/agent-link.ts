import type { Logger } from 'pino';
import { WebSocket, type RawData } from 'ws';
import {
  type AgentMessage,
  type ControlMessage,
  LINK_PATH,
  LINK_PROTOCOL,
  type LogLine,
  type LogQuery,
  type NodeFacts,
  type ObservedAllocation,
  type Task,
  type UsageReport,
  controlMessageSchema,
} from './messages.js';
import { ReconnectDelay } from './reconnect-delay.js';

const HEARTBEAT_MS = 10_000;
/** Without a sign of life for this long the connection is given up. */
const SILENCE_MS = 30_000;
const LOG_BATCH = 500;
/** Progress lines are for people who look on: beyond this backlog, bytes, they are dropped rather than kept. */
const PROGRESS_BACKLOG = 1024 * 1024;

/** Lines on their way; `run` ends when all were sent or after `close`. */
export interface LogStream {
  run(): Promise<void>;
  close(): void;
}

/** What the link does on this machine. */
export interface LinkedAgent {
  facts(): NodeFacts;
  generation(): number;
  observed(): ObservedAllocation[];
  apply(message: Extract<ControlMessage, { type: 'desired' }>): void;
  task(taskId: string, task: Task): Promise<unknown>;
  logs(query: LogQuery, sink: (lines: LogLine[]) => Promise<void>): LogStream;
  /** A report of use that is not confirmed, if any. */
  usage(): UsageReport | undefined;
  usageConfirmed(stream: string, sequence: number): void;
}

export interface AgentLinkOptions {
  /** Address of the control plane, http or https. */
  serverUrl: string;
  credential: string;
  agent: LinkedAgent;
  logger: Logger;
}

/**
 * The agent's end of the link: dials, and dials again for ever. Losing a message loses nothing, since each connection begins with the whole
 * observed state and is answered with the whole desired one; while there is none, this machine goes on with what was wanted last.
 */
export class AgentLink {
  private socket: WebSocket | undefined;
  private readonly delay = new ReconnectDelay();
  private readonly streams = new Map<string, LogStream>();
  private readonly changed = new Map<string, ObservedAllocation>();
  private flush: NodeJS.Immediate | undefined;
  private timer: NodeJS.Timeout | undefined;
  private heartbeat: NodeJS.Timeout | undefined;
  private lastHeard = 0;
  private stopped = false;
  private outage = false;

  constructor(private readonly options: AgentLinkOptions) {}

  start(): void {
    const url = new URL(LINK_PATH, this.options.serverUrl);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${this.options.credential}` }, handshakeTimeout: 10_000 });
    this.socket = socket;
    socket.on('open', () => this.opened());
    socket.on('message', (data) => this.received(data));
    socket.on('pong', () => this.heard());
    socket.on('unexpected-response', (request, response) => {
      request.destroy();
      socket.emit('error', new Error(`the control plane answered ${String(response.statusCode)}`));
      socket.emit('close', 1006, Buffer.alloc(0));
    });
    socket.on('error', (error) => this.broken(error.message));
    socket.once('close', () => this.closed(socket));
  }

  /** Reports what changed, as soon as this turn of the event loop is over; several changes of one allocation are one report. */
  report(observed: ObservedAllocation): void {
    this.changed.set(observed.id, observed);
    this.flush ??= setImmediate(() => {
      this.flush = undefined;
      const allocations = [...this.changed.values()];
      this.changed.clear();
      this.send({ type: 'observed', generation: this.options.agent.generation(), full: false, allocations });
    });
  }

  progress(allocationId: string, step: string, text: string): void {
    if ((this.socket?.bufferedAmount ?? 0) < PROGRESS_BACKLOG) this.send({ type: 'progress', allocationId, step, text });
  }

  /** Sends a report of use; it is sent again with each new connection until it is confirmed. */
  reportUsage(report: UsageReport): void {
    this.send({ type: 'usage', report });
  }

  /** Closes the connection for good. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.socket?.close(1001);
    this.endConnection();
  }

  private opened(): void {
    const { agent, logger } = this.options;
    if (this.outage) logger.info('the control plane is back');
    else logger.info('connected to the control plane');
    this.outage = false;
    this.heard();
    this.send({ type: 'hello', protocol: LINK_PROTOCOL, node: agent.facts(), generation: agent.generation() });
    this.changed.clear();
    this.send({ type: 'observed', generation: agent.generation(), full: true, allocations: agent.observed() });
    const usage = agent.usage();
    if (usage !== undefined) this.reportUsage(usage);
    this.scheduleHeartbeat();
  }

  private scheduleHeartbeat(): void {
    const pause = HEARTBEAT_MS * (0.8 + Math.random() * 0.4);
    this.heartbeat = setTimeout(() => {
      if (performance.now() - this.lastHeard > SILENCE_MS) {
        this.broken('the control plane has been silent for too long');
        this.socket?.terminate();
        return;
      }
      this.socket?.ping();
      this.send({ type: 'heartbeat', node: this.options.agent.facts() });
      this.scheduleHeartbeat();
    }, pause);
  }

  private received(data: RawData): void {
    this.heard();
    let parsed;
    try {
      parsed = controlMessageSchema.safeParse(JSON.parse(textOf(data)));
    } catch (error) {
      this.options.logger.error({ err: error }, 'the control plane sent something that is no message');
      return;
    }
    if (parsed.success) this.tryHandle(parsed.data);
    else this.options.logger.error({ issues: parsed.error.issues }, 'the control plane sent a message that this agent does not understand');
  }

  /** A message that cannot be followed, such as on a full disk, must not end the agent: the next connection brings it again. */
  private tryHandle(message: ControlMessage): void {
    try {
      this.handle(message);
    } catch (error) {
      this.options.logger.error({ err: error, type: message.type }, 'a message of the control plane could not be followed');
      this.socket?.close(1011);
    }
  }

  private handle(message: ControlMessage): void {
    switch (message.type) {
      case 'desired':
        this.delay.reset();
        this.options.agent.apply(message);
        // What changes follows by itself; this answers the generation even when nothing has to.
        this.send({ type: 'observed', generation: this.options.agent.generation(), full: false, allocations: [] });
        return;
      case 'task':
        void this.doTask(message.taskId, message.task);
        return;
      case 'log-open':
        void this.openLogs(message.streamId, message.query);
        return;
      case 'log-close':
        this.streams.get(message.streamId)?.close();
        return;
      case 'refused':
        this.options.logger.error({ reason: message.reason }, 'the control plane refuses this agent');
        return;
      case 'usage-confirmed':
        this.options.agent.usageConfirmed(message.stream, message.sequence);
        return;
    }
  }

  private async doTask(taskId: string, task: Task): Promise<void> {
    try {
      this.send({ type: 'task-result', taskId, ok: true, result: await this.options.agent.task(taskId, task) });
    } catch (error) {
      this.options.logger.error({ err: error, taskId, kind: task.kind }, 'a task failed');
      this.send({ type: 'task-result', taskId, ok: false, error: error instanceof Error ? error.message : String(error) });
    }
  }

  private async openLogs(streamId: string, query: LogQuery): Promise<void> {
    const { socket } = this;
    const stream = this.options.agent.logs(query, async (lines) => {
      for (let at = 0; at < lines.length; at += LOG_BATCH) {
        await this.sendAndWait(socket, { type: 'log-lines', streamId, lines: lines.slice(at, at + LOG_BATCH) });
      }
    });
    this.streams.set(streamId, stream);
    try {
      await stream.run();
      this.send({ type: 'log-end', streamId });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (socket?.readyState === WebSocket.OPEN) this.options.logger.error({ err: error }, 'a log stream failed');
      this.send({ type: 'log-end', streamId, error: message });
    } finally {
      this.streams.delete(streamId);
    }
  }

  private send(message: AgentMessage): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /** Resolves when the message has left this process, so that a slow reader slows its stream, not the agent's memory. */
  private sendAndWait(socket: WebSocket | undefined, message: AgentMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      if (socket?.readyState !== WebSocket.OPEN) {
        reject(new Error('the link is closed'));
        return;
      }
      socket.send(JSON.stringify(message), (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }

  private heard(): void {
    this.lastHeard = performance.now();
  }

  private broken(reason: string): void {
    if (!this.outage && !this.stopped) this.options.logger.warn({ reason }, 'no connection to the control plane; components run on');
    this.outage = true;
  }

  private closed(socket: WebSocket): void {
    if (this.socket !== socket) return;
    this.socket = undefined;
    this.endConnection();
    if (this.stopped) return;
    this.broken('the connection was closed');
    this.timer = setTimeout(() => this.start(), this.delay.next());
  }

  private endConnection(): void {
    clearTimeout(this.heartbeat);
    for (const stream of this.streams.values()) stream.close();
  }
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return (data instanceof ArrayBuffer ? Buffer.from(data) : data).toString('utf8');
}
