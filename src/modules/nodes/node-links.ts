import { Injectable } from '@nestjs/common';
import { Subject } from 'rxjs';
import { DomainError } from '../../common/domain-error.js';
import type { LogLine, LogQuery } from '../../link/messages.js';

/** A standing link to a node, as other modules may use it. */
export interface NodeLink {
  /** The node's log lines, oldest first; ends when `signal` aborts. Throws when the node or the link fails. */
  logs(query: LogQuery, signal: AbortSignal): AsyncIterable<LogLine>;
}

/** A line about what a step of an allocation does right now. */
export interface Progress {
  projectId: string;
  component: string;
  step: string;
  text: string;
}

/** The links that this process holds, and what comes over them that is not stored here. */
@Injectable()
export class NodeLinks {
  readonly progress = new Subject<Progress>();
  private readonly links = new Map<string, NodeLink>();

  add(nodeId: string, link: NodeLink): void {
    this.links.set(nodeId, link);
  }

  /** Forgets this link, unless a newer one has taken its place. */
  remove(nodeId: string, link: NodeLink): void {
    if (this.links.get(nodeId) === link) this.links.delete(nodeId);
  }

  /** The link to a node; `NODE_NOT_CONNECTED` without one. */
  get(nodeId: string): NodeLink {
    const link = this.links.get(nodeId);
    if (link !== undefined) return link;
    throw new DomainError('unavailable', 'NODE_NOT_CONNECTED', 'The agent of the node is not connected.', {
      fix: 'It connects again by itself when it runs; `hithe health` shows it.',
    });
  }
}
