export interface RegisteredNode {
  nodeId: string;
  /** Shown this once. */
  credential: string;
}

/** Makes this machine a node. The module that owns nodes provides it. */
export abstract class LocalNodeRegistrar {
  /** Registers the local node, or gives it a new credential with `renew`. Null when it is registered already. */
  abstract ensure(options: { renew: boolean }): Promise<RegisteredNode | null>;
}
