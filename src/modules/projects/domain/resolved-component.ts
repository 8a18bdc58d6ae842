import type { HealthPolicy } from '../../ports/domain/manifest.js';
import { REFERENCE_PATTERN, type ComponentSpec, type ProjectSpec } from './project-spec.js';
import type { PortLookup } from './port-lookup.js';

/** Where a component's code comes from, exactly. */
export type ResolvedSource = { kind: 'archive'; digest: string } | { kind: 'git'; url: string; ref: string };

/** A component as a release keeps it: nothing left to choose, and no secret in clear. */
export interface ResolvedComponent {
  name: string;
  port: string;
  /** A key of the port's closures. */
  version: string;
  vars: Record<string, string>;
  /** Secret var → version of its stored value. */
  secrets: Record<string, number>;
  env: Record<string, string>;
  source?: ResolvedSource;
  needs: string[];
  /** Endpoints that the port opens. */
  endpoints: string[];
  /** Endpoint → the fixed network port; the others are leased. */
  listen: Record<string, number>;
  health: HealthPolicy;
}

/** What `resolveComponents` has to know of a secret var. */
export type SecretVersions = (component: string, name: string) => number | undefined;

/** Turns a valid project into components with exact versions; call `validateProjectSpec` first. */
export function resolveComponents(spec: ProjectSpec, ports: PortLookup, secretVersion: SecretVersions): ResolvedComponent[] {
  return Object.entries(spec.components).map(([name, component]) => resolveComponent(name, component, ports, secretVersion));
}

function resolveComponent(name: string, component: ComponentSpec, ports: PortLookup, secretVersion: SecretVersions): ResolvedComponent {
  const port = ports.find(component.port);
  const version = port?.resolveVersion(component.version);
  if (port === undefined || version === undefined) throw new Error(`component ${name} was not validated before it was resolved`);
  const secretNames = port.secretVars.map((secret) => secret.name);
  const vars = Object.fromEntries(
    Object.entries({ ...port.defaults, ...component.vars })
      .filter(([key]) => !secretNames.includes(key))
      .map(([key, value]) => [key, String(value)]),
  );
  const secrets = Object.fromEntries(
    port.secretVars.flatMap((secret) => {
      const current = secret.generate || secret.name in component.vars ? secretVersion(name, secret.name) : undefined;
      return current === undefined ? [] : [[secret.name, current]];
    }),
  );
  const source = resolveSource(component);
  return {
    name,
    port: port.name,
    version,
    vars,
    secrets,
    env: Object.fromEntries(Object.entries(component.env).map(([key, value]) => [key, String(value)])),
    ...(source === undefined ? {} : { source }),
    needs: component.needs,
    endpoints: Object.keys(port.hithe.endpoints),
    listen: component.listen,
    health: { ...port.hithe.health, ...definedOnly(component.health) },
  };
}

function resolveSource(component: ComponentSpec): ResolvedSource | undefined {
  const { source } = component;
  if (source === undefined) return undefined;
  if ('git' in source) return { kind: 'git', url: source.git, ref: source.ref };
  return source.digest === undefined ? undefined : { kind: 'archive', digest: source.digest };
}

function definedOnly(values: ComponentSpec['health']): Partial<HealthPolicy> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** Why `after` cannot go on as `before` does: one short reason for each difference; empty when nothing has to be done. */
export function differences(before: ResolvedComponent, after: ResolvedComponent): string[] {
  const reasons: string[] = [];
  if (before.port !== after.port) reasons.push(`port ${before.port} → ${after.port}`);
  if (before.version !== after.version) reasons.push(`version ${before.version} → ${after.version}`);
  reasons.push(...changedKeys('vars', before.vars, after.vars), ...changedKeys('secret', before.secrets, after.secrets));
  reasons.push(...changedKeys('env', before.env, after.env), ...changedKeys('listen', before.listen, after.listen));
  const source = sourceDifference(before.source, after.source);
  if (source !== undefined) reasons.push(source);
  if ([...before.endpoints].sort().join() !== [...after.endpoints].sort().join()) reasons.push('endpoints changed');
  if ([...before.needs].sort().join() !== [...after.needs].sort().join()) reasons.push('needs changed');
  return reasons;
}

/** Whether `after` must start again because `component`, which it reads from, will answer under other values. */
export function readsFrom(after: ResolvedComponent, component: string): boolean {
  return Object.values(after.env).some((value) => [...value.matchAll(REFERENCE_PATTERN)].some((match) => match[1] === component));
}

/** Whether the exports of a component may change between the two: anything but its code and its needs. */
export function exportsMayChange(before: ResolvedComponent, after: ResolvedComponent): boolean {
  return differences(before, after).some((reason) => /^(?:port|vars|secret|listen|endpoints) /.test(reason));
}

function sourceDifference(before: ResolvedSource | undefined, after: ResolvedSource | undefined): string | undefined {
  if (after?.kind === 'git' && before?.kind === 'git' && before.url === after.url && before.ref === after.ref) {
    return /^[0-9a-f]{40}$/.test(after.ref) ? undefined : `source: ${after.ref} is fetched anew`;
  }
  return JSON.stringify(before) === JSON.stringify(after) ? undefined : 'source changed';
}

function changedKeys(what: string, before: Record<string, unknown>, after: Record<string, unknown>): string[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys.filter((key) => before[key] !== after[key]).map((key) => `${what} ${key} ${describe(before, after, key)}`);
}

function describe(before: Record<string, unknown>, after: Record<string, unknown>, key: string): string {
  if (!Object.hasOwn(before, key)) return 'added';
  return Object.hasOwn(after, key) ? 'changed' : 'removed';
}
