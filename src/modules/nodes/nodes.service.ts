import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { authorize } from '../../auth/ability.js';
import { whereAllowed } from '../../auth/ability-query.js';
import type { Actor } from '../../auth/actor.js';
import { DomainError } from '../../common/domain-error.js';
import { newId } from '../../common/ids.js';
import { randomToken, sha256 } from '../../common/random-token.js';
import type { Transaction } from '../../common/transaction.js';
import { Notifications } from '../../database/notifications.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import { type Page, type PageQuery, pageOf } from '../../http/pagination.js';
import type { NodeFacts } from '../../link/messages.js';
import { AuditLog } from '../audit/audit-log.js';
import { Node } from './node.entity.js';
import { desiredChanged, nodeLinked } from './nodes.channels.js';

/** An agent that was not heard for this long counts as away, even if nobody saw its link end. */
const SILENCE_MS = 45_000;

const NEXT_GENERATION = `
  WITH changed AS (UPDATE nodes SET generation = generation + 1, updated_at = now() WHERE id = $1 RETURNING id)
  SELECT pg_notify($2, json_build_object('nodeId', id)::text) FROM changed`;

/** A node's proof of who it is; shown once, stored as a hash. */
export interface IssuedCredential {
  nodeId: string;
  credential: string;
}

/** Machines with an agent: who they are, whether they are there, and when what they shall run has changed. */
@Injectable()
export class NodesService {
  constructor(
    @InjectRepository(Node) private readonly nodes: Repository<Node>,
    private readonly transactions: TransactionRunner,
    private readonly notifications: Notifications,
    private readonly audit: AuditLog,
  ) {}

  /** Makes the node of that name known, or gives the known one a new credential; the former one is void then. */
  async register(name: string): Promise<IssuedCredential> {
    const credential = randomToken('hithe_node_');
    const nodeId = await this.transactions.run(async (tx) => {
      const [row] = await tx.query<{ id: string; created: boolean }[]>(
        `INSERT INTO nodes (id, name, credential_hash) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET credential_hash = EXCLUDED.credential_hash, updated_at = now() RETURNING id, xmax = 0 AS created`,
        [newId(), name, sha256(credential)],
      );
      if (row === undefined) throw new TypeError('The node was not stored');
      const action = row.created ? 'node.registered' : 'node.credential-renewed';
      await this.audit.record(tx, { action, subject: { type: 'node', id: row.id, name } });
      return row.id;
    });
    return { nodeId, credential };
  }

  /** The node with this credential, or null. */
  async byCredential(credential: string): Promise<Node | null> {
    return this.nodes.findOneBy({ credentialHash: sha256(credential) });
  }

  list(actor: Actor, page: PageQuery): Promise<Page<Node>> {
    return pageOf(whereAllowed(this.nodes.createQueryBuilder('node'), actor, 'read', 'Node'), page);
  }

  async require(actor: Actor, nodeId: string): Promise<Node> {
    return authorize(actor, 'read', 'Node', await this.nodes.findOneBy({ id: nodeId }), { what: 'node', id: nodeId });
  }

  /** Every node. No actor: for the platform's own work. */
  all(): Promise<Node[]> {
    return this.nodes.find({ order: { id: 'ASC' } });
  }

  async find(nodeId: string): Promise<Node | null> {
    return this.nodes.findOneBy({ id: nodeId });
  }

  /** The node on which a new project runs; `NO_NODE` when the installation has none. */
  async place(): Promise<Node> {
    const nodes = await this.all();
    const node = nodes.find((candidate) => isConnected(candidate)) ?? nodes[0];
    if (node !== undefined) return node;
    throw new DomainError('unavailable', 'NO_NODE', 'This installation has no node to run anything on.', {
      fix: 'Start the agent (`npm start` does), then try again.',
    });
  }

  /** A link to the node stands; links that it had before are void. */
  async linked(nodeId: string, linkId: string, facts: NodeFacts): Promise<void> {
    await this.transactions.run(async (tx) => {
      const change = { linkId, facts, connectedAt: new Date(), lastSeenAt: new Date() };
      await tx.createQueryBuilder().update(Node).set(change).where({ id: nodeId }).execute();
      await this.notifications.notify(tx, nodeLinked, { nodeId, linkId });
    });
  }

  /** The node was heard. False when this link is no longer its present one. */
  async seen(nodeId: string, linkId: string, facts?: NodeFacts): Promise<boolean> {
    const change = { lastSeenAt: new Date(), ...(facts === undefined ? {} : { facts }) };
    const result = await this.nodes.createQueryBuilder().update().set(change).where({ id: nodeId, linkId }).execute();
    return result.affected === 1;
  }

  /** The link has ended; nothing happens when the node has another one meanwhile. */
  async unlinked(nodeId: string, linkId: string): Promise<void> {
    await this.nodes.update({ id: nodeId, linkId }, { linkId: null });
  }

  /** What the node shall run has changed: the next generation, and a nudge to whoever holds its link. */
  async desiredChanged(tx: Transaction, nodeId: string): Promise<void> {
    await tx.query(NEXT_GENERATION, [nodeId, desiredChanged.name]);
  }
}

/** Whether the node's agent is there, as far as anybody can know. */
export function isConnected(node: Pick<Node, 'linkId' | 'lastSeenAt'>, now = Date.now()): boolean {
  return node.linkId !== null && node.lastSeenAt !== null && now - node.lastSeenAt.getTime() < SILENCE_MS;
}
