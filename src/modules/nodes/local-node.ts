import { Injectable } from '@nestjs/common';
import { LocalNodeRegistrar, type RegisteredNode } from '../../bootstrap/local-node-registrar.js';
import { NodesService } from './nodes.service.js';

const LOCAL_NODE = 'local';

/** Registers the machine on which the control plane itself runs. */
@Injectable()
export class LocalNode extends LocalNodeRegistrar {
  constructor(private readonly nodes: NodesService) {
    super();
  }

  override async ensure(options: { renew: boolean }): Promise<RegisteredNode | null> {
    const known = (await this.nodes.all()).some((node) => node.name === LOCAL_NODE);
    return known && !options.renew ? null : this.nodes.register(LOCAL_NODE);
  }
}
