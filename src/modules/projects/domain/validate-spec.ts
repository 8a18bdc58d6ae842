import type { Fault } from '../../../common/domain-error.js';
import { findCycle } from './needs-graph.js';
import type { PortInfo, PortLookup } from './port-lookup.js';
import { addressIn, REDACTED, REFERENCE_PATTERN, type ComponentSpec, type ProjectSpec } from './project-spec.js';
import { listed, nearest } from './suggest.js';
import { sourceFaults } from './validate-source.js';

export interface ValidationContext {
  ports: PortLookup;
  /** Whether this archive has been uploaded by the team. */
  hasSource: (digest: string) => boolean;
  /** Secret vars of a component whose value is stored from an earlier apply. */
  storedSecrets?: (component: string) => readonly string[];
  /** What is wrong with the address of a secret that is kept elsewhere, if anything. */
  addressFault?: (address: string) => Omit<Fault, 'path'> | undefined;
  /** Lowest network port that a tenant's process can open. */
  lowestListenPort?: number;
}

/** Everything that is wrong with a well-formed project: each fault says where, what, and how to mend it. Empty when it can be deployed. */
export function validateProjectSpec(spec: ProjectSpec, context: ValidationContext): Fault[] {
  const faults: Fault[] = [];
  for (const [name, component] of Object.entries(spec.components)) {
    const port = context.ports.find(component.port);
    faults.push(
      ...portFaults(name, component, port, context.ports),
      ...needsFaults(name, component, spec),
      ...referenceFaults(name, component, spec, context.ports),
      ...(port === undefined
        ? []
        : [
            ...varFaults(name, component, port, context),
            ...addressFaults(name, component, port, context),
            ...sourceFaults(name, component, port, context),
            ...listenFaults(name, component, port, context),
          ]),
    );
  }
  return [...faults, ...cycleFaults(spec), ...likeNameFaults(spec), ...listenClashFaults(spec)];
}

function portFaults(name: string, component: ComponentSpec, port: PortInfo | undefined, ports: PortLookup): Fault[] {
  if (port === undefined) {
    const near = nearest(component.port, ports.names());
    return [
      {
        path: `components.${name}.port`,
        code: 'PORT_UNKNOWN',
        message: `There is no port "${component.port}".`,
        fix: near === undefined ? `Use one of: ${listed(ports.names())}.` : `Did you mean "${near}"? \`hithe ports\` lists them all.`,
      },
    ];
  }
  if (port.hithe.kind === 'toolchain') {
    return [
      {
        path: `components.${name}.port`,
        code: 'PORT_NOT_RUNNABLE',
        message: `The port "${port.name}" is a toolchain: it is there for other ports and runs nothing by itself.`,
        fix: `Use a port that runs on it, such as ${listed(ports.names().filter((other) => Object.hasOwn(ports.find(other)?.hithe.requires ?? {}, port.name)))}.`,
      },
    ];
  }
  if (port.resolveVersion(component.version) !== undefined) return [];
  return [
    {
      path: `components.${name}.version`,
      code: 'VERSION_UNKNOWN',
      message:
        component.version === undefined
          ? `The port "${port.name}" has no version that can be installed.`
          : `The port "${port.name}" has no version "${component.version}".`,
      fix: port.versions.length === 0 ? 'Choose another port.' : `Use one of: ${listed(port.versions)}.`,
    },
  ];
}

function needsFaults(name: string, component: ComponentSpec, spec: ProjectSpec): Fault[] {
  return component.needs.flatMap((need, index): Fault[] => {
    const path = `components.${name}.needs[${index}]`;
    if (component.needs.indexOf(need) !== index) {
      return [{ path, code: 'NEEDS_DUPLICATE', message: `"${need}" is named twice.`, fix: 'Remove one of the two.' }];
    }
    if (Object.hasOwn(spec.components, need)) return [];
    const others = Object.keys(spec.components).filter((other) => other !== name);
    const near = nearest(need, others);
    return [
      {
        path,
        code: 'NEEDS_UNKNOWN',
        message: `There is no component "${need}" in this project.`,
        fix: near === undefined ? `Add a component "${need}", or remove it from needs.` : `Did you mean "${near}"?`,
      },
    ];
  });
}

function cycleFaults(spec: ProjectSpec): Fault[] {
  const needs = Object.fromEntries(Object.entries(spec.components).map(([name, component]) => [name, component.needs]));
  const cycle = findCycle(needs);
  if (cycle === undefined) return [];
  const [from, to] = cycle;
  return [
    {
      path: `components.${from ?? ''}.needs`,
      code: 'NEEDS_CYCLE',
      message: `Components need each other in a circle: ${cycle.join(' → ')}.`,
      fix: `Remove one of these needs, e.g. "${to ?? ''}" from "${from ?? ''}".`,
    },
  ];
}

/** Names that differ in `-` and `_` only would share host names and variables. */
function likeNameFaults(spec: ProjectSpec): Fault[] {
  const seen = new Map<string, string>();
  const faults: Fault[] = [];
  for (const name of Object.keys(spec.components)) {
    const key = name.replaceAll('_', '-');
    const other = seen.get(key);
    if (other !== undefined) {
      faults.push({
        path: `components.${name}`,
        code: 'NAME_DUPLICATE',
        message: `"${name}" and "${other}" are the same name to the machine.`,
        fix: `Rename one of them, e.g. "${name}-2".`,
      });
    }
    seen.set(key, name);
  }
  return faults;
}

function varFaults(name: string, component: ComponentSpec, port: PortInfo, context: ValidationContext): Fault[] {
  const stored = context.storedSecrets?.(name) ?? [];
  const elsewhere = Object.keys(component.vars).filter((key) => typeof component.vars[key] === 'object');
  const fresh = Object.fromEntries(
    Object.entries(component.vars).flatMap(([key, value]) =>
      typeof value === 'object' || (value === REDACTED && stored.includes(key)) ? [] : [[key, value]],
    ),
  );
  const faults = port
    .checkVars(fresh, [...stored, ...elsewhere])
    .map((fault) => ({ ...fault, path: `components.${name}.vars${fault.path === '' ? '' : `.${fault.path}`}` }));
  for (const [key, value] of Object.entries(component.vars)) {
    if (typeof value !== 'string' || value.search(REFERENCE_PATTERN) < 0) continue;
    faults.push({
      path: `components.${name}.vars.${key}`,
      code: 'REFERENCE_MISPLACED',
      message: 'A reference to another component is read in `env` only.',
      fix: `Move ${key} from vars to env.`,
    });
  }
  return faults;
}

/** Addresses of secrets stand in `env` and in secret vars; what they name is not for a plain var, which everybody sees. */
function addressFaults(name: string, component: ComponentSpec, port: PortInfo, context: ValidationContext): Fault[] {
  return (['vars', 'env'] as const).flatMap((part) =>
    Object.entries(component[part]).flatMap(([key, value]): Fault[] => {
      const address = addressIn(value);
      if (address === undefined) return [];
      const path = `components.${name}.${part}.${key}`;
      if (part === 'vars' && !port.secretVars.some((secret) => secret.name === key)) {
        return [
          {
            path,
            code: 'ADDRESS_NOT_SECRET',
            message: `${key} is not a secret of the port "${port.name}", so it cannot be kept elsewhere.`,
            fix: 'Write its value, or use `env`.',
          },
        ];
      }
      const fault = context.addressFault?.(address);
      return fault === undefined ? [] : [{ ...fault, path: `${path}.from` }];
    }),
  );
}

function referenceFaults(name: string, component: ComponentSpec, spec: ProjectSpec, ports: PortLookup): Fault[] {
  const faults: Fault[] = [];
  for (const [key, value] of Object.entries(component.env)) {
    if (typeof value !== 'string') continue;
    for (const match of value.matchAll(REFERENCE_PATTERN)) {
      const [text, target = '', variable = ''] = match;
      const fault = referenceFault(component, text, target, variable, spec, ports);
      if (fault !== undefined) faults.push({ ...fault, path: `components.${name}.env.${key}` });
    }
  }
  return faults;
}

function referenceFault(
  component: ComponentSpec,
  text: string,
  target: string,
  variable: string,
  spec: ProjectSpec,
  ports: PortLookup,
): Omit<Fault, 'path'> | undefined {
  const other = Object.hasOwn(spec.components, target) ? spec.components[target] : undefined;
  if (other === undefined) {
    const near = nearest(target, Object.keys(spec.components));
    return {
      code: 'REFERENCE_UNKNOWN_COMPONENT',
      message: `${text} names the component "${target}", which this project does not have.`,
      fix: near === undefined ? `Add a component "${target}", or correct the reference.` : `Did you mean "${near}"?`,
    };
  }
  const port = ports.find(other.port);
  if (port !== undefined && !port.hithe.exports.includes(variable)) {
    const near = nearest(variable, port.hithe.exports);
    return {
      code: 'EXPORT_UNKNOWN',
      message: `${text}: the port "${port.name}" of "${target}" exports no ${variable}.`,
      fix: near === undefined ? `It exports: ${listed(port.hithe.exports)}.` : `Did you mean \${${target}.${near}}?`,
    };
  }
  if (!component.needs.includes(target)) {
    return {
      code: 'REFERENCE_NOT_NEEDED',
      message: `${text} reads from "${target}", which is not in needs.`,
      fix: `Add "${target}" to needs.`,
    };
  }
  return undefined;
}

function listenFaults(name: string, component: ComponentSpec, port: PortInfo, context: ValidationContext): Fault[] {
  const endpoints = Object.keys(port.hithe.endpoints);
  const lowest = context.lowestListenPort ?? 1024;
  return Object.entries(component.listen).flatMap(([endpoint, listenPort]): Fault[] => {
    const path = `components.${name}.listen.${endpoint}`;
    if (!endpoints.includes(endpoint)) {
      return [
        {
          path,
          code: 'ENDPOINT_UNKNOWN',
          message: `The port "${port.name}" has no endpoint "${endpoint}".`,
          fix: `Its endpoints: ${listed(endpoints)}.`,
        },
      ];
    }
    if (listenPort >= lowest) return [];
    return [
      {
        path,
        code: 'LISTEN_PORT_PRIVILEGED',
        message: `A component cannot listen below ${lowest}, and ${listenPort} is.`,
        fix: `Choose a port from ${lowest} to 65535.`,
      },
    ];
  });
}

function listenClashFaults(spec: ProjectSpec): Fault[] {
  const seen = new Map<number, string>();
  const faults: Fault[] = [];
  for (const [name, component] of Object.entries(spec.components)) {
    for (const [endpoint, listenPort] of Object.entries(component.listen)) {
      const path = `components.${name}.listen.${endpoint}`;
      const other = seen.get(listenPort);
      if (other !== undefined)
        faults.push({
          path,
          code: 'LISTEN_PORT_DUPLICATE',
          message: `${listenPort} is also wanted by ${other}.`,
          fix: 'Give each endpoint its own port, or leave `listen` out.',
        });
      seen.set(listenPort, path);
    }
  }
  return faults;
}
