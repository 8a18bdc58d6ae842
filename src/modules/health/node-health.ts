export interface ComponentHealth {
  ok: boolean;
  /** What is the matter, or that all is well; for operators. */
  message: string;
  /** What to do when it is not. */
  fix?: string;
}

/** Knows how the agents are. The module that owns nodes provides it. */
export abstract class NodeHealth {
  /** Whether the nodes' agents are connected. */
  abstract agent(): Promise<ComponentHealth>;
  /** Whether tenants are isolated: the canary's answer. */
  abstract isolation(): Promise<ComponentHealth>;
}
