import { bytesOf } from '../../../common/quantity.js';
import { type Demand, NO_DEMAND } from '../../quotas/domain/quota.js';
import type { PortInfo, PortLookup } from './port-lookup.js';
import type { ComponentSpec, ProjectSpec } from './project-spec.js';

/** What one component asks for: bytes and cores. */
export interface ComponentResources {
  memory: number;
  cpu: number;
}

/** For ports whose manifest says nothing. */
const DEFAULT_RESOURCES = { memory: '256M', cpu: 0.5 };

/** What a component asks for: as it says itself, else as its port does, else 256 MB and half a core. */
export function resourcesOf(component: Pick<ComponentSpec, 'resources'>, port: Pick<PortInfo, 'hithe'> | undefined): ComponentResources {
  const { memory, cpu } = { ...DEFAULT_RESOURCES, ...definedOnly(port?.hithe.resources), ...definedOnly(component.resources) };
  return { memory: bytesOf(memory), cpu };
}

/** What a whole project asks for. */
export function demandOf(spec: ProjectSpec, ports: PortLookup): Demand {
  return Object.values(spec.components).reduce<Demand>((sum, component) => {
    const port = ports.find(component.port);
    const { memory, cpu } = resourcesOf(component, port);
    return {
      components: sum.components + 1,
      memory: sum.memory + memory,
      cpu: sum.cpu + cpu,
      listenPorts: sum.listenPorts + Object.keys(port?.hithe.endpoints ?? {}).length,
    };
  }, NO_DEMAND);
}

function definedOnly(given: { memory?: string | undefined; cpu?: number | undefined } | undefined): { memory?: string; cpu?: number } {
  return { ...(given?.memory === undefined ? {} : { memory: given.memory }), ...(given?.cpu === undefined ? {} : { cpu: given.cpu }) };
}
