import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { DomainError } from '../../common/domain-error.js';
import { asSystem } from '../../common/request-context.js';
import type { Transaction } from '../../common/transaction.js';
import { Config } from '../../config/config.js';
import { managerOf } from '../../database/transaction-runner.js';
import { PortLease } from './node.entity.js';

/** Where components listen. The router, and nobody else, will face the outside. */
export const LISTEN_ADDRESS = '127.0.0.1';

const PORTS_PER_BLOCK = 100;

/** Who wants a network port. */
export interface LeaseRequest {
  nodeId: string;
  projectId: string;
  component: string;
  endpoint: string;
  /** The one that the project asks for; any free one of the range when absent. */
  fixed?: number;
}

/** Gives network ports of a node to endpoints of components: stable, and never one to two. */
@Injectable()
export class LeasesService {
  constructor(
    @InjectRepository(PortLease) private readonly leases: Repository<PortLease>,
    private readonly config: Config,
  ) {}

  /** Every lease on a node. */
  ofNode(nodeId: string): Promise<PortLease[]> {
    return asSystem('leases', () => this.leases.findBy({ nodeId }));
  }

  /** The leases that components of a project hold already. */
  ofProject(projectId: string): Promise<PortLease[]> {
    return this.leases.findBy({ projectId });
  }

  /** The network port of this endpoint: the one that it has, or a new one that is not in `taken` by strangers. */
  async lease(tx: Transaction, request: LeaseRequest, taken: ReadonlySet<number>): Promise<number> {
    const { nodeId, projectId, component, endpoint, fixed } = request;
    const held = await managerOf(tx).findBy(PortLease, { nodeId, projectId, component, endpoint });
    const fits = held.find((lease) => (fixed === undefined ? this.inRange(lease.port) : lease.port === fixed));
    if (fits !== undefined) return fits.port;
    return fixed === undefined ? this.leaseAny(tx, request, taken) : this.leaseFixed(tx, request, fixed, taken);
  }

  /** Gives back every network port of the project that is in none of `kept`. */
  async releaseUnused(tx: Transaction, projectId: string, kept: ReadonlySet<number>): Promise<void> {
    const held = await managerOf(tx).findBy(PortLease, { projectId });
    const unused = held.filter((lease) => !kept.has(lease.port));
    if (unused.length > 0) await managerOf(tx).remove(unused);
  }

  private inRange(port: number): boolean {
    return port >= this.config.portRange.first && port <= this.config.portRange.last;
  }

  private async leaseFixed(tx: Transaction, request: LeaseRequest, port: number, taken: ReadonlySet<number>): Promise<number> {
    if (!taken.has(port) && (await this.take(tx, request, port))) return port;
    throw new DomainError('conflict', 'LISTEN_PORT_TAKEN', `The network port ${port} that "${request.component}" asks for is taken.`, {
      faults: [
        {
          path: `components.${request.component}.listen.${request.endpoint}`,
          code: 'LISTEN_PORT_TAKEN',
          message: `${port} is taken.`,
          fix: '`hithe plan` says by whom.',
        },
      ],
      fix: 'Choose another with `listen`, or leave `listen` out to get a free one.',
    });
  }

  private async leaseAny(tx: Transaction, request: LeaseRequest, taken: ReadonlySet<number>): Promise<number> {
    const { first, last } = this.config.portRange;
    const where = { nodeId: request.nodeId, address: LISTEN_ADDRESS };
    // Strangers' too: a port can be leased once only.
    const leased = await asSystem('leases', () => managerOf(tx).find(PortLease, { select: { port: true }, where }));
    const used = new Set([...taken, ...leased.map((lease) => lease.port)]);
    const count = last - first + 1;
    const offset = startWithin(count, request.nodeId);
    for (let step = 0; step < count; step += 1) {
      const port = first + ((offset + step) % count);
      if (!used.has(port) && (await this.take(tx, request, port))) return port;
    }
    throw new DomainError('quota', 'LISTEN_PORTS_EXHAUSTED', `No network port from ${first} to ${last} is free on the node.`, {
      fix: 'Widen HITHE_PORT_RANGE, or delete projects that are not needed.',
    });
  }

  /** False when another transaction was faster: it waits for that one, and its port is gone only if that one commits. */
  private async take(tx: Transaction, request: LeaseRequest, port: number): Promise<boolean> {
    const { nodeId, projectId, component, endpoint } = request;
    const lease = managerOf(tx).create(PortLease, { nodeId, projectId, component, endpoint, address: LISTEN_ADDRESS, port });
    const result = await managerOf(tx).createQueryBuilder().insert().into(PortLease).values(lease).orIgnore().returning('id').execute();
    return (result.raw as unknown[]).length > 0;
  }
}

/**
 * Where in the range a node begins to look: several installations on one machine do not know each other's leases, and a
 * stopped component's port looks free, so each keeps to a block of its own as long as it can.
 */
function startWithin(count: number, nodeId: string): number {
  const blocks = Math.ceil(count / PORTS_PER_BLOCK);
  return (Number.parseInt(nodeId.slice(-8), 16) % blocks) * PORTS_PER_BLOCK;
}
