import type { PortLookup } from './port-lookup.js';
import { REDACTED, type ProjectSpec, type SpecValue } from './project-spec.js';

/** A secret that somebody wrote into a project file. */
export interface GivenSecret {
  component: string;
  name: string;
  value: string;
}

/** Takes the values of secret vars out of a project: they are returned apart, and hidden in the copy. */
export function hideSecrets(spec: ProjectSpec, ports: PortLookup): { spec: ProjectSpec; given: GivenSecret[] } {
  const given: GivenSecret[] = [];
  const components = Object.entries(spec.components).map(([name, component]) => {
    const secret = new Set(ports.find(component.port)?.secretVars.map((entry) => entry.name));
    const vars = Object.entries(component.vars).map(([key, value]): [string, SpecValue] => {
      if (!secret.has(key) || typeof value === 'object') return [key, value];
      if (value !== REDACTED) given.push({ component: name, name: key, value: String(value) });
      return [key, REDACTED];
    });
    return [name, { ...component, vars: Object.fromEntries(vars) }] as const;
  });
  return { spec: { ...spec, components: Object.fromEntries(components) }, given };
}
