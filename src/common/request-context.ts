import { AsyncLocalStorage } from 'node:async_hooks';

/** Who asks, as the database and the audit log know them. */
export interface RequestActor {
  /** A user or a service account. */
  userId: string;
  email: string;
  /** The credential: a log-in, or an API token with its name. */
  sessionId?: string;
  tokenId?: string;
  /** Teams whose rows this actor may reach at all; `all` for platform administrators. */
  teams: readonly string[] | 'all';
  /** Teams whose glass this platform administrator has broken: the id of each case by team, for the audit log. */
  brokenGlass?: Readonly<Record<string, string>>;
}

/** What holds for everything that is done on behalf of one request, job or message. */
export interface RequestContext {
  /** Set for what the platform does by itself (jobs, agents, start, authentication); reaches the rows of all teams. */
  system?: boolean;
  /** Name of the platform's part that acts, when `system`; e.g. `orchestrator`. */
  part?: string;
  requestId?: string;
  /** Network address of the client. */
  address?: string;
  /** Set once the caller has been authenticated. */
  actor?: RequestActor;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** The context of the work in progress; undefined outside of any, where no tenant's row is within reach. */
export function requestContext(): RequestContext | undefined {
  return storage.getStore();
}

/** Runs `work`, and all that it starts, in this context. */
export function withRequestContext<T>(context: RequestContext, work: () => T): T {
  return storage.run(context, work);
}

/**
 * Runs `work` as the platform itself, e.g. `asSystem('orchestrator', …)`: it reaches the rows of all teams. The request's id
 * and address stay known; its actor too, for the audit log.
 */
export function asSystem<T>(part: string, work: () => T): T {
  return storage.run({ ...storage.getStore(), system: true, part }, work);
}
