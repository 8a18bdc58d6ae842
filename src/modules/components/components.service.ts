import { Injectable } from '@nestjs/common';
import { mayDo } from '../../auth/ability.js';
import type { Actor } from '../../auth/actor.js';
import { AllocationsService } from '../nodes/allocations.service.js';
import type { AllocationRecord } from '../nodes/domain/allocation.js';
import { isConnected, NodesService } from '../nodes/nodes.service.js';
import { PortsService } from '../ports/ports.service.js';
import { ProjectsService, type ProjectView } from '../projects/projects.service.js';
import { type ComponentView, componentViews } from './component-view.js';

/** A project with its components as they are. */
export interface ProjectComponents extends ProjectView {
  components: ComponentView[];
}

/** The components of projects as people see them: specification, desired state and observation in one. */
@Injectable()
export class ComponentsService {
  constructor(
    private readonly projects: ProjectsService,
    private readonly allocations: AllocationsService,
    private readonly nodes: NodesService,
    private readonly ports: PortsService,
  ) {}

  async ofProject(actor: Actor, projectId: string): Promise<ProjectComponents> {
    const view = await this.projects.get(actor, projectId);
    const [allocations, nodes] = await Promise.all([this.allocations.ofProjects([projectId]), this.nodes.all()]);
    const mayReadLogs = mayDo(actor, 'read-logs', 'Project', view.project);
    const components = componentViews(mayReadLogs ? allocations : allocations.map(withoutWords), {
      spec: view.project.spec,
      node: (id) => {
        const node = nodes.find((candidate) => candidate.id === id);
        return { name: node?.name ?? 'unknown', connected: node !== undefined && isConnected(node) };
      },
      protocol: (port, endpoint) => this.ports.find(port)?.hithe.endpoints[endpoint]?.protocol ?? 'tcp',
    });
    return { ...view, components };
  }
}

/** The allocation without what its node says of it: that quotes the last line of a script or of a test. */
function withoutWords(allocation: AllocationRecord): AllocationRecord {
  if (allocation.observed === null) return allocation;
  const observed = { ...allocation.observed };
  delete observed.message;
  delete observed.healthMessage;
  return { ...allocation, observed };
}
