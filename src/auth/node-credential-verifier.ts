export interface NodeIdentity {
  nodeId: string;
}

/** Knows the credentials of nodes. The module that owns nodes provides it; without one no node is known. */
export abstract class NodeCredentialVerifier {
  /** The node that this credential belongs to, or null. Takes equally long for unknown ones. */
  abstract verify(credential: string): Promise<NodeIdentity | null>;
}
