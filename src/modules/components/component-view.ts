import type { ObservedAllocation } from '../../link/messages.js';
import type { AllocationRecord } from '../nodes/domain/allocation.js';
import type { ProjectSpec } from '../projects/domain/project-spec.js';
import { listed } from '../projects/domain/suggest.js';

export const COMPONENT_HEALTHS = ['healthy', 'unhealthy', 'unknown', 'stopped'] as const;
export type ComponentHealth = (typeof COMPONENT_HEALTHS)[number];

export interface ComponentEndpoint {
  name: string;
  protocol: 'http' | 'tcp';
  address: string;
  port: number;
  url?: string;
}

/** A component as people see it: what is wanted, what is, and what that means. */
export interface ComponentView {
  name: string;
  port: string;
  version?: string;
  resolvedVersion?: string;
  /** `new`: not deployed yet; otherwise what the node says. */
  state: string;
  health: ComponentHealth;
  healthMessage?: string;
  healthSince?: string;
  restarts: number;
  pid?: number;
  uid?: number;
  startedAt?: string;
  node?: string;
  endpoints: ComponentEndpoint[];
  message?: string;
  exit?: { code?: number; signal?: string };
  effect?: string;
}

/** What a view is made from, besides the allocations. */
export interface ViewContext {
  spec: ProjectSpec;
  /** Name of a node and whether its agent is connected. */
  node: (id: string) => { name: string; connected: boolean };
  protocol: (port: string, endpoint: string) => 'http' | 'tcp';
}

/** Views of all components: those that run in the order of the specification, then what is not in it any more. */
export function componentViews(allocations: readonly AllocationRecord[], context: ViewContext): ComponentView[] {
  const live = new Map<string, AllocationRecord>();
  for (const allocation of [...allocations].sort((a, b) => weight(a) - weight(b))) live.set(allocation.component, allocation);
  const names = [...new Set([...Object.keys(context.spec.components), ...live.keys()])];
  const views = names.flatMap((name): ComponentView[] => {
    const allocation = live.get(name);
    if (allocation !== undefined) return [viewOf(allocation, context)];
    const component = context.spec.components[name];
    return component === undefined ? [] : [newView(name, component)];
  });
  return views.map((view) => withEffect(view, live.get(view.name), views));
}

/** Of two allocations of a component, the one that matters more to people comes last. */
function weight(allocation: AllocationRecord): number {
  return ['removed', 'prepared', 'stopped', 'running'].indexOf(allocation.desired);
}

function newView(name: string, component: ProjectSpec['components'][string]): ComponentView {
  return {
    name,
    port: component.port,
    ...(component.version === undefined ? {} : { version: component.version }),
    state: 'new',
    health: 'unknown',
    healthMessage: 'not deployed yet',
    restarts: 0,
    endpoints: [],
  };
}

function viewOf(allocation: AllocationRecord, context: ViewContext): ComponentView {
  const { resolved, observed } = allocation;
  const node = context.node(allocation.nodeId);
  const { health, message } = healthOf(allocation, node);
  return {
    name: allocation.component,
    port: resolved.port,
    version: resolved.version,
    state: observed?.state ?? 'pending',
    health,
    ...(message === undefined ? {} : { healthMessage: message }),
    restarts: observed?.restarts ?? 0,
    node: node.name,
    endpoints: endpointsOf(allocation, context),
    ...(observed === null ? {} : factsOf(observed)),
  };
}

function factsOf(observed: ObservedAllocation): Partial<ComponentView> {
  const { resolvedVersion, healthSince, message, exit, pid, uid, startedAt } = observed;
  const alive = pid !== undefined && ['starting', 'running', 'stopping'].includes(observed.state);
  return {
    ...(resolvedVersion === undefined ? {} : { resolvedVersion }),
    ...(healthSince === undefined ? {} : { healthSince }),
    ...(alive ? { pid, ...(uid === undefined ? {} : { uid }), ...(startedAt === undefined ? {} : { startedAt }) } : {}),
    ...(message === undefined ? {} : { message }),
    ...(exit === undefined
      ? {}
      : {
          exit: { ...(exit.code === undefined ? {} : { code: exit.code }), ...(exit.signal === undefined ? {} : { signal: exit.signal }) },
        }),
  };
}

/** Health is what the node said last about what is wanted now; of a node that is away, nothing is known. */
function healthOf(allocation: AllocationRecord, node: { connected: boolean }): { health: ComponentHealth; message?: string } {
  const { observed } = allocation;
  if (allocation.desired === 'stopped') return { health: 'stopped', message: 'stopped on request' };
  if (!node.connected) return { health: 'unknown', message: 'the agent of its node is not connected' };
  if (observed === null) return { health: 'unknown', message: 'the node has not answered yet' };
  if (observed.state === 'failed') return { health: 'unhealthy', message: observed.message ?? 'it has failed' };
  if (observed.state === 'restarting') return { health: 'unhealthy', message: observed.message ?? 'it ended and will be started again' };
  if (observed.state !== 'running') return { health: 'unknown', message: `it is ${observed.state}` };
  return { health: observed.health, ...(observed.healthMessage === undefined ? {} : { message: observed.healthMessage }) };
}

function endpointsOf(allocation: AllocationRecord, context: ViewContext): ComponentEndpoint[] {
  return Object.entries(allocation.listen).map(([name, { address, port }]) => {
    const protocol = context.protocol(allocation.resolved.port, name);
    return { name, protocol, address, port, ...(protocol === 'http' ? { url: `http://${address}:${port}/` } : {}) };
  });
}

/** Says what an ill or stopped component means to one that needs it and runs. */
function withEffect(view: ComponentView, allocation: AllocationRecord | undefined, views: readonly ComponentView[]): ComponentView {
  if (allocation?.desired !== 'running') return view;
  const missing = views.filter(
    (other) => allocation.resolved.needs.includes(other.name) && (other.health === 'stopped' || other.health === 'unhealthy'),
  );
  if (missing.length === 0) return view;
  return {
    ...view,
    effect: `runs without ${listed(missing.map((other) => `${other.name} (${other.health})`)).replace(' or ', ' and ')}, which it needs`,
  };
}

/** The health of a project: that of its worst component; `stopped` when all are. */
export function overallHealth(views: readonly ComponentView[]): ComponentHealth {
  if (views.every((view) => view.health === 'healthy')) return 'healthy';
  if (views.every((view) => view.health === 'stopped')) return 'stopped';
  return views.some((view) => view.health === 'unhealthy' || view.health === 'stopped') ? 'unhealthy' : 'unknown';
}
