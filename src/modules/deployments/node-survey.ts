import { Injectable, Logger } from '@nestjs/common';
import { DomainError } from '../../common/domain-error.js';
import type { PlanFacts } from '../../link/messages.js';
import { AllocationsService } from '../nodes/allocations.service.js';
import { LeasesService } from '../nodes/leases.service.js';
import { isConnected, NodesService } from '../nodes/nodes.service.js';
import { TasksService } from '../nodes/tasks.service.js';
import { PortsService } from '../ports/ports.service.js';
import type { ProjectRecord } from '../projects/domain/project.js';

/** Where a project runs, and which network ports there are held by strangers. */
export interface Survey {
  nodeId: string;
  taken: ReadonlySet<number>;
}

export interface NodeFactsAnswer {
  nodeId?: string;
  facts?: PlanFacts;
  /** Why there are no facts. */
  missing?: string;
}

/** Asks nodes what is the case on their machines. */
@Injectable()
export class NodeSurvey {
  private readonly logger = new Logger('Deployments');

  constructor(
    private readonly nodes: NodesService,
    private readonly allocations: AllocationsService,
    private readonly leases: LeasesService,
    private readonly tasks: TasksService,
    private readonly ports: PortsService,
  ) {}

  /** The node of a project, and what strangers hold there; the node is asked only when a new network port is needed. */
  async forDeploy(project: ProjectRecord): Promise<Survey> {
    const [nodeId, needsPorts] = await Promise.all([this.nodeOf(project.id), this.needsPorts(project)]);
    if (!needsPorts) return { nodeId, taken: new Set() };
    const { facts, missing } = await this.ask(nodeId, []);
    if (facts === undefined) {
      this.logger.warn(`Network ports for ${project.name} are leased without asking the node: ${missing ?? 'no answer'}`);
      return { nodeId, taken: new Set() };
    }
    const leased = new Set((await this.leases.ofNode(nodeId)).map((lease) => lease.port));
    return { nodeId, taken: new Set(facts.listeners.map((listener) => listener.port).filter((port) => !leased.has(port))) };
  }

  /** Facts for a plan, or why there are none. */
  async forPlan(projectId: string | undefined, closures: { port: string; version: string }[]): Promise<NodeFactsAnswer> {
    try {
      const nodeId = await this.nodeOf(projectId);
      return { nodeId, ...(await this.ask(nodeId, closures)) };
    } catch (error) {
      if (error instanceof DomainError && error.kind === 'unavailable') return { missing: error.message };
      throw error;
    }
  }

  private async ask(nodeId: string, closures: { port: string; version: string }[]): Promise<{ facts?: PlanFacts; missing?: string }> {
    const node = await this.nodes.find(nodeId);
    if (node === null || !isConnected(node)) return { missing: 'The agent of the node is not connected.' };
    try {
      return { facts: await this.tasks.planFacts(nodeId, closures) };
    } catch (error) {
      if (error instanceof DomainError && error.kind === 'unavailable') return { missing: error.message };
      throw error;
    }
  }

  private async nodeOf(projectId: string | undefined): Promise<string> {
    const [present] = projectId === undefined ? [] : await this.allocations.ofProjects([projectId]);
    return present?.nodeId ?? (await this.nodes.place()).id;
  }

  private async needsPorts(project: ProjectRecord): Promise<boolean> {
    const held = await this.leases.ofProject(project.id);
    return Object.entries(project.spec.components).some(([name, component]) =>
      Object.keys(this.ports.find(component.port)?.hithe.endpoints ?? {}).some((endpoint) => {
        const fixed = component.listen[endpoint];
        return !held.some(
          (lease) => lease.component === name && lease.endpoint === endpoint && (fixed === undefined || lease.port === fixed),
        );
      }),
    );
  }
}
