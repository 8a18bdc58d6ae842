import { createReadStream, existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';
import {
  type AgentMessage,
  type ControlMessage,
  type DesiredAllocation,
  type LogLine,
  type LogQuery,
  type NodeFacts,
  type ObservedAllocation,
  type UsageReport,
  LINK_PATH,
  agentMessageSchema,
} from '../../../src/link/messages.js';
import { newId } from '../../../src/common/ids.js';
import { until } from '../../support/until.js';

/** The control plane's end of the link, and nothing else of it: sends what a test wants and keeps what the agent says. */
export class ControlPlane {
  readonly observed = new Map<string, ObservedAllocation>();
  /** Every state that each allocation was reported in, in order, without repetitions. */
  readonly history = new Map<string, string[]>();
  readonly progress: string[] = [];
  readonly lines = new Map<string, LogLine[]>();
  readonly results = new Map<string, unknown>();
  readonly invalid: unknown[] = [];
  /** Every report of use that came, repeated ones too. */
  readonly usage: UsageReport[] = [];
  confirmsUsage = true;
  hellos = 0;
  facts: NodeFacts | undefined;
  wanted: DesiredAllocation[] = [];
  credential = '';
  private generation = 0;
  private socket: WebSocket | undefined;
  private server: Server | undefined;
  private links: WebSocketServer | undefined;
  private port = 0;

  /** `sources` holds archives named by their digest. */
  constructor(private readonly sources: string) {}

  async listen(): Promise<void> {
    this.server = createServer((request, response) => {
      const digest = /^\/api\/v1\/node\/sources\/(sha256-[0-9a-f]+)$/.exec(request.url ?? '')?.[1] ?? '';
      const file = join(this.sources, digest);
      const allowed = request.headers.authorization === `Bearer ${this.credential}`;
      if (allowed && existsSync(file)) createReadStream(file).pipe(response);
      else response.writeHead(404).end();
    });
    this.links = new WebSocketServer({ server: this.server, path: LINK_PATH });
    this.links.on('connection', (socket) => this.connected(socket));
    await new Promise<void>((resolve) => this.server?.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Goes away, as when it is restarted; `listen` brings it back at the same address. */
  async close(): Promise<void> {
    for (const client of this.links?.clients ?? []) client.terminate();
    this.links?.close();
    await new Promise((resolve) => this.server?.close(resolve));
    this.socket = undefined;
  }

  /** Replaces what is wanted; each allocation that changed must have a higher epoch. */
  want(...allocations: DesiredAllocation[]): void {
    this.wanted = allocations;
    this.generation += 1;
    this.sendDesired();
  }

  /** Changes one of the allocations that are wanted. */
  change(id: string, patch: Partial<DesiredAllocation>): void {
    this.want(...this.wanted.map((each) => (each.id === id ? { ...each, epoch: each.epoch + 1, ...patch } : each)));
  }

  of(id: string): ObservedAllocation | undefined {
    return this.observed.get(id);
  }

  /** Waits until an allocation is observed, at its wanted epoch, as the condition says. */
  async see(id: string, condition: (observed: ObservedAllocation) => boolean, milliseconds = 60_000): Promise<ObservedAllocation> {
    const epoch = (): number => this.wanted.find((each) => each.id === id)?.epoch ?? 0;
    const found = (): ObservedAllocation | undefined => {
      const observed = this.observed.get(id);
      return observed && observed.epoch >= epoch() && condition(observed) ? observed : undefined;
    };
    await until(() => found() !== undefined, milliseconds).catch((error: unknown) => {
      throw new Error(`Last seen: ${JSON.stringify(this.observed.get(id))}. ${String(error)}`);
    });
    return found() as ObservedAllocation;
  }

  /** Waits until it runs and is healthy; fails at once when it cannot come to that. */
  async running(id: string): Promise<ObservedAllocation> {
    const seen = await this.see(id, ({ state, health }) => state === 'failed' || (state === 'running' && health === 'healthy'));
    if (seen.state === 'running') return seen;
    throw new Error(`It failed: ${JSON.stringify(seen)}`);
  }

  /** Opens a log stream; lines are gathered under the id that it returns. */
  logs(query: LogQuery): string {
    const streamId = newId();
    this.lines.set(streamId, []);
    this.send({ type: 'log-open', streamId, query });
    return streamId;
  }

  texts(streamId: string): string[] {
    return (this.lines.get(streamId) ?? []).map(({ text }) => text);
  }

  async task(task: Extract<ControlMessage, { type: 'task' }>['task'], taskId = newId()): Promise<unknown> {
    this.results.delete(taskId);
    this.send({ type: 'task', taskId, task });
    await until(() => this.results.has(taskId));
    return this.results.get(taskId);
  }

  private connected(socket: WebSocket): void {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      const parsed = agentMessageSchema.safeParse(JSON.parse(data.toString()));
      if (parsed.success) this.received(parsed.data);
      else this.invalid.push(parsed.error.issues);
    });
  }

  private received(message: AgentMessage): void {
    if (message.type === 'hello') {
      this.hellos += 1;
      this.facts = message.node;
      // What an earlier agent said is no longer true.
      this.observed.clear();
      if (this.wanted.length > 0) this.sendDesired();
    } else if (message.type === 'observed') {
      if (message.full) this.observed.clear();
      for (const each of message.allocations) this.note(each);
    } else if (message.type === 'progress') this.progress.push(`${message.step}: ${message.text}`);
    else if (message.type === 'log-lines') this.lines.get(message.streamId)?.push(...message.lines);
    else if (message.type === 'usage') this.noteUsage(message.report);
    else if (message.type === 'task-result') this.results.set(message.taskId, message.ok ? message.result : new Error(message.error));
  }

  private noteUsage(report: UsageReport): void {
    this.usage.push(report);
    const { stream, sequence } = report;
    if (this.confirmsUsage) this.send({ type: 'usage-confirmed', stream, sequence });
  }

  private note(observed: ObservedAllocation): void {
    this.observed.set(observed.id, observed);
    const states = this.history.get(observed.id) ?? [];
    if (states.at(-1) !== observed.state) states.push(observed.state);
    this.history.set(observed.id, states);
  }

  private sendDesired(): void {
    this.send({ type: 'desired', generation: this.generation, allocations: this.wanted });
  }

  private send(message: ControlMessage): void {
    this.socket?.send(JSON.stringify(message));
  }
}
