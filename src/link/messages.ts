import { z } from 'zod';
import { healthSchema } from '../modules/ports/domain/manifest.js';

/** Version of this protocol; an agent that speaks another major version is refused with a clear error. */
export const LINK_PROTOCOL = 2;
/** Path of the WebSocket on the control plane. The node credential travels in `Authorization: Bearer`. */
export const LINK_PATH = '/api/link';

const id = z.uuid();

/**
 * One replica of a component as the control plane wants it on this node. The agent makes it so; it never decides.
 *
 * `desired`: `prepared` = installed, built, initialised, not started; `running`; `stopped` = installed and kept;
 * `removed` = process ended and files gone (data set aside, or deleted when `purge`).
 */
export const desiredAllocationSchema = z.strictObject({
  id,
  /** Grows with every change of this allocation; an older one is refused. */
  epoch: z.int().nonnegative(),
  desired: z.enum(['prepared', 'running', 'stopped', 'removed']),
  purge: z.boolean().default(false),
  /** Grows when somebody asks for a restart without any other change. */
  restartNonce: z.int().nonnegative().default(0),
  tenant: z.strictObject({
    /** Offset from the node's first tenant uid. */
    number: z.int().nonnegative(),
    slug: z.string(),
  }),
  projectId: id,
  project: z.string(),
  component: z.string(),
  release: z.int().positive(),
  port: z.string(),
  /** A key of the port's closures, e.g. "17". */
  version: z.string(),
  vars: z.record(z.string(), z.string()),
  /** Those of `vars` whose value is secret: the agent blanks it out in whatever it reports. */
  secretVars: z.array(z.string()).default([]),
  /** May hold references `${component.EXPORT}` to components of `needs`, resolved on the node. */
  env: z.record(z.string(), z.string()),
  /** Further environment of the process, secret and taken as it is. Builds do not see it. */
  secretEnv: z.record(z.string(), z.string()).default({}),
  /** Component name → allocation id. */
  needs: z.record(z.string(), id),
  /** Endpoint → leased address. */
  listen: z.record(z.string(), z.strictObject({ address: z.string(), port: z.int() })),
  source: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('archive'), digest: z.string() }),
      z.strictObject({ kind: z.literal('git'), url: z.string(), ref: z.string() }),
    ])
    .optional(),
  health: healthSchema,
});
export type DesiredAllocation = z.infer<typeof desiredAllocationSchema>;

export const ALLOCATION_STATES = [
  'pending',
  'preparing',
  'prepared',
  'starting',
  'running',
  /** Exited by itself; waits for its back-off to end. */
  'restarting',
  'stopping',
  'stopped',
  /** Gave up: `message` and `exit` say why. */
  'failed',
  'removed',
] as const;
export type AllocationState = (typeof ALLOCATION_STATES)[number];

export const observedAllocationSchema = z.strictObject({
  id,
  /** The epoch that this observation answers. */
  epoch: z.int().nonnegative(),
  /** The restart nonce that has been carried out. */
  restartNonce: z.int().nonnegative(),
  state: z.enum(ALLOCATION_STATES),
  health: z.enum(['unknown', 'healthy', 'unhealthy']),
  /** What the last `test.sh` said, its last line. */
  healthMessage: z.string().optional(),
  /** When health last changed, ISO 8601. */
  healthSince: z.string().optional(),
  /** Script or phase that runs or that failed: `store`, `fetch-source`, `setup`, `build`, `init`, `start`, `test`. */
  step: z.string().optional(),
  message: z.string().optional(),
  /** Process id of the application as the host sees it. */
  pid: z.int().optional(),
  uid: z.int().optional(),
  startedAt: z.string().optional(),
  restarts: z.int().nonnegative(),
  exit: z.strictObject({ code: z.int().optional(), signal: z.string().optional() }).optional(),
  /** Last lines of the failed script or process. */
  logTail: z.array(z.string()).optional(),
  /** Exact version of the installed software, e.g. "17.6-0+deb13u1". */
  resolvedVersion: z.string().optional(),
  /** Digest of the store entry. */
  storeDigest: z.string().optional(),
  commit: z.string().optional(),
});
export type ObservedAllocation = z.infer<typeof observedAllocationSchema>;

export const isolationSchema = z.strictObject({
  mode: z.enum(['root', 'rootless', 'none']),
  /** Whether the boot canary found every wall standing. Without it no tenant code runs. */
  ok: z.boolean(),
  checks: z.array(z.strictObject({ name: z.string(), ok: z.boolean(), message: z.string() })),
});
export type Isolation = z.infer<typeof isolationSchema>;

/** A network port in use on the node, by whoever. */
export const listenerSchema = z.strictObject({
  address: z.string(),
  port: z.int(),
  uid: z.int(),
  pid: z.int().optional(),
  process: z.string().optional(),
  /** The allocation that it belongs to, when it is one of ours. */
  allocationId: id.optional(),
});
export type Listener = z.infer<typeof listenerSchema>;

/** One-off work: delivered at least once, idempotent by its id. */
export const taskSchema = z.discriminatedUnion('kind', [
  /** Facts for a plan; changes nothing. Result: `PlanFacts`. */
  z.strictObject({
    kind: z.literal('plan-facts'),
    closures: z.array(z.strictObject({ port: z.string(), version: z.string() })),
  }),
]);
export type Task = z.infer<typeof taskSchema>;

export const planFactsSchema = z.strictObject({
  listeners: z.array(listenerSchema),
  /** For each closure asked for: whether the store holds it, and its exact version then. */
  closures: z.array(
    z.strictObject({ port: z.string(), version: z.string(), installed: z.boolean(), resolvedVersion: z.string().optional() }),
  ),
});
export type PlanFacts = z.infer<typeof planFactsSchema>;

/** One stored line of a component's output. */
export const logLineSchema = z.strictObject({
  component: z.string(),
  allocationId: id,
  /** ISO 8601 with microseconds, as stamped by the log writer. */
  at: z.string(),
  text: z.string(),
});
export type LogLine = z.infer<typeof logLineSchema>;

export const logQuerySchema = z.strictObject({
  projectId: id,
  /** Only this component; all of the project when absent. */
  component: z.string().optional(),
  /** How many past lines, over all components, oldest first. */
  lines: z.int().nonnegative(),
  follow: z.boolean(),
  /** Only lines after this time stamp; resumes a broken stream. */
  after: z.string().optional(),
});
export type LogQuery = z.infer<typeof logQuerySchema>;

export const nodeFactsSchema = z.strictObject({
  hostname: z.string(),
  platform: z.string(),
  cpus: z.int(),
  memoryBytes: z.int(),
  agentVersion: z.string(),
  isolation: isolationSchema,
  /** Uid of tenant number 0. */
  tenantUidBase: z.int(),
});
export type NodeFacts = z.infer<typeof nodeFactsSchema>;

const amount = z.number().nonnegative();

/** What one component used on one day (UTC) since the last report. */
export const usageEntrySchema = z.strictObject({
  /** Number of the tenant. */
  tenant: z.int().nonnegative(),
  projectId: id,
  project: z.string(),
  component: z.string(),
  day: z.iso.date(),
  cpuSeconds: amount,
  memoryByteSeconds: amount,
  storedByteSeconds: amount,
  storedMostBytes: z.int().nonnegative(),
  /** The newest measure of what is stored, if there was one. */
  stored: z.strictObject({ bytes: z.int().nonnegative(), at: z.iso.datetime() }).optional(),
});
export type UsageEntry = z.infer<typeof usageEntrySchema>;

/** A report of use. It is sent until it is confirmed, and counts once: `sequence` grows by one within the `stream` of an agent's journal. */
export const usageReportSchema = z.strictObject({ stream: id, sequence: z.int().positive(), entries: z.array(usageEntrySchema) });
export type UsageReport = z.infer<typeof usageReportSchema>;

/** What an agent sends. */
export const agentMessageSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('hello'), protocol: z.int(), node: nodeFactsSchema, generation: z.int().nonnegative() }),
  /** The whole observed state when `full`, otherwise only what changed. */
  z.strictObject({
    type: z.literal('observed'),
    generation: z.int().nonnegative(),
    full: z.boolean(),
    allocations: z.array(observedAllocationSchema),
  }),
  /** A line for the deployment's log: what a step does right now. */
  z.strictObject({ type: z.literal('progress'), allocationId: id, step: z.string(), text: z.string() }),
  z.strictObject({
    type: z.literal('task-result'),
    taskId: id,
    ok: z.boolean(),
    result: z.unknown().optional(),
    error: z.string().optional(),
  }),
  z.strictObject({ type: z.literal('log-lines'), streamId: id, lines: z.array(logLineSchema) }),
  z.strictObject({ type: z.literal('log-end'), streamId: id, error: z.string().optional() }),
  z.strictObject({ type: z.literal('heartbeat'), node: nodeFactsSchema }),
  z.strictObject({ type: z.literal('usage'), report: usageReportSchema }),
]);
export type AgentMessage = z.infer<typeof agentMessageSchema>;

/** What the control plane sends. */
export const controlMessageSchema = z.discriminatedUnion('type', [
  /** The whole desired state of the node; replaces whatever was wanted before. A lower generation is ignored. */
  z.strictObject({ type: z.literal('desired'), generation: z.int().nonnegative(), allocations: z.array(desiredAllocationSchema) }),
  z.strictObject({ type: z.literal('task'), taskId: id, task: taskSchema }),
  z.strictObject({ type: z.literal('log-open'), streamId: id, query: logQuerySchema }),
  z.strictObject({ type: z.literal('log-close'), streamId: id }),
  z.strictObject({ type: z.literal('refused'), reason: z.string() }),
  /** A report of use has been counted; the agent may forget it. */
  z.strictObject({ type: z.literal('usage-confirmed'), stream: id, sequence: z.int().positive() }),
]);
export type ControlMessage = z.infer<typeof controlMessageSchema>;
