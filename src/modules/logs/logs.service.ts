import { Injectable } from '@nestjs/common';
import type { Actor } from '../../auth/actor.js';
import { DomainError } from '../../common/domain-error.js';
import type { LogLine, LogQuery } from '../../link/messages.js';
import { AllocationsService } from '../nodes/allocations.service.js';
import { NodeLinks } from '../nodes/node-links.js';
import { listed } from '../projects/domain/suggest.js';
import { ProjectsService } from '../projects/projects.service.js';

export interface LogRequest {
  component?: string | undefined;
  lines: number;
  follow: boolean;
  /** Only lines after this time stamp. */
  after?: string | undefined;
}

/** Reads the output of components from the nodes that keep it. */
@Injectable()
export class LogsService {
  constructor(
    private readonly projects: ProjectsService,
    private readonly allocations: AllocationsService,
    private readonly links: NodeLinks,
  ) {}

  /** The lines of a project. Nothing is asked of the node before the first is read; `signal` ends the stream on the node too. */
  async read(actor: Actor, projectId: string, request: LogRequest, signal: AbortSignal): Promise<AsyncIterable<LogLine>> {
    const project = await this.projects.require(actor, projectId, 'read-logs');
    const allocations = await this.allocations.ofProjects([projectId]);
    const names = [...new Set([...Object.keys(project.spec.components), ...allocations.map((allocation) => allocation.component)])];
    if (request.component !== undefined && !names.includes(request.component)) {
      throw new DomainError('invalid', 'COMPONENT_UNKNOWN', `This project has no component "${request.component}".`, {
        fix: `Its components: ${listed(names)}.`,
      });
    }
    const nodeId = allocations[0]?.nodeId;
    if (nodeId === undefined) return nothing();
    const query: LogQuery = {
      projectId,
      lines: request.lines,
      follow: request.follow,
      ...(request.component === undefined ? {} : { component: request.component }),
      ...(request.after === undefined ? {} : { after: request.after }),
    };
    return this.links.get(nodeId).logs(query, signal);
  }
}

/** A project without an allocation has no log yet. */
async function* nothing(): AsyncGenerator<LogLine> {
  // Nothing to yield.
}
