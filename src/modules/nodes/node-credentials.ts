import { Injectable } from '@nestjs/common';
import { NodeCredentialVerifier, type NodeIdentity } from '../../auth/node-credential-verifier.js';
import { NodesService } from './nodes.service.js';

/** Knows nodes by the hash of their credential: an unknown one takes the same single look-up. */
@Injectable()
export class NodeCredentials extends NodeCredentialVerifier {
  constructor(private readonly nodes: NodesService) {
    super();
  }

  override async verify(credential: string): Promise<NodeIdentity | null> {
    const node = await this.nodes.byCredential(credential);
    return node === null ? null : { nodeId: node.id };
  }
}
