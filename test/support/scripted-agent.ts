import { WebSocket } from 'ws';
import {
  type AgentMessage,
  type ControlMessage,
  controlMessageSchema,
  type DesiredAllocation,
  LINK_PATH,
  LINK_PROTOCOL,
  type LogQuery,
  type NodeFacts,
  type ObservedAllocation,
  type PlanFacts,
} from '../../src/link/messages.js';
import { until } from './until.js';

/** What a node says about an allocation that is wanted; undefined: nothing, for now. */
export type Script = (wanted: DesiredAllocation) => Partial<ObservedAllocation> | undefined;

const FACTS: NodeFacts = {
  hostname: 'scripted',
  platform: 'linux-x64',
  cpus: 2,
  memoryBytes: 2 ** 32,
  agentVersion: '0.0.0',
  isolation: { mode: 'root', ok: true, checks: [{ name: 'canary', ok: true, message: 'green' }] },
  tenantUidBase: 1_900_000_000,
};

/** What a node does with everything that is well. */
export function obedient(wanted: DesiredAllocation): Partial<ObservedAllocation> {
  switch (wanted.desired) {
    case 'prepared':
      return { state: 'prepared', resolvedVersion: `${wanted.version}.1` };
    case 'running':
      return { state: 'running', health: 'healthy', pid: 4711, uid: 1_900_000_001, healthMessage: 'it answers' };
    case 'stopped':
      return { state: 'stopped' };
    case 'removed':
      return { state: 'removed' };
  }
}

/** A peer that speaks the agent's protocol over a real WebSocket, and does as its script says instead of running anything. */
export class ScriptedAgent {
  readonly received: ControlMessage[] = [];
  desired: DesiredAllocation[] = [];
  generation = 0;
  planFacts: PlanFacts | undefined = { listeners: [], closures: [] };
  /** What to do when a log is asked for. */
  onLog: ((streamId: string, query: LogQuery) => void) | undefined;
  closed: { code: number; reason: string } | undefined;
  private readonly said = new Map<string, string>();

  private constructor(
    private readonly socket: WebSocket,
    public script: Script,
  ) {}

  /** Connects and says hello; resolves when the first desired state came, or the link was refused. */
  static async connect(url: string, credential: string, options: { script?: Script; hello?: object } = {}): Promise<ScriptedAgent> {
    const address = `${url.replace(/^http/, 'ws')}${LINK_PATH}`;
    const socket = new WebSocket(address, { headers: { Authorization: `Bearer ${credential}` } });
    const agent = new ScriptedAgent(socket, options.script ?? obedient);
    socket.on('message', (data: Buffer) => {
      agent.handle(controlMessageSchema.parse(JSON.parse(data.toString())));
    });
    socket.on('close', (code, reason) => (agent.closed = { code, reason: reason.toString() }));
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    socket.on('error', () => undefined);
    agent.raw({ type: 'hello', protocol: LINK_PROTOCOL, node: FACTS, generation: 0, ...options.hello });
    await until(() => agent.received.length > 0 || agent.closed !== undefined, 10_000);
    return agent;
  }

  send(message: AgentMessage): void {
    this.raw(message);
  }

  raw(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Says something about the allocation of a component, of its newest release. */
  report(component: string, observed: Partial<ObservedAllocation>): void {
    const wanted = this.wanted(component);
    this.send({ type: 'observed', generation: this.generation, full: false, allocations: [observation(wanted, observed)] });
  }

  wanted(component: string): DesiredAllocation {
    const found = this.desired.filter((allocation) => allocation.component === component).at(-1);
    if (found === undefined) throw new Error(`Nothing is wanted of ${component}`);
    return found;
  }

  /** Component and what is wanted of each of its allocations, oldest first. */
  wants(): Record<string, string[]> {
    const wants: Record<string, string[]> = {};
    for (const { component, desired } of this.desired) (wants[component] ??= []).push(desired);
    return wants;
  }

  /** Answers again whatever is wanted, after the script has changed. */
  again(): void {
    this.said.clear();
    this.answer();
  }

  async end(): Promise<void> {
    this.socket.close();
    await until(() => this.closed !== undefined, 10_000);
  }

  /** The cable is pulled. */
  vanish(): void {
    this.socket.terminate();
  }

  private handle(message: ControlMessage): void {
    this.received.push(message);
    if (message.type === 'desired') {
      if (message.generation < this.generation) return;
      this.generation = message.generation;
      this.desired = message.allocations;
      this.answer();
    } else if (message.type === 'task' && this.planFacts !== undefined) {
      this.send({ type: 'task-result', taskId: message.taskId, ok: true, result: this.planFacts });
    } else if (message.type === 'log-open') {
      this.onLog?.(message.streamId, message.query);
    }
  }

  private answer(): void {
    const news = this.desired.flatMap((wanted) => {
      const said = this.script(wanted);
      if (said === undefined) return [];
      const full = observation(wanted, said);
      if (this.said.get(wanted.id) === JSON.stringify(full)) return [];
      this.said.set(wanted.id, JSON.stringify(full));
      return [full];
    });
    if (news.length > 0) this.send({ type: 'observed', generation: this.generation, full: false, allocations: news });
  }
}

function observation(wanted: DesiredAllocation, observed: Partial<ObservedAllocation>): ObservedAllocation {
  return {
    id: wanted.id,
    epoch: wanted.epoch,
    restartNonce: wanted.restartNonce,
    state: 'pending',
    health: 'unknown',
    restarts: 0,
    ...observed,
  };
}
