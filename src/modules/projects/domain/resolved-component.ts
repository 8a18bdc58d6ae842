import type { HealthPolicy } from '../../ports/domain/manifest.js';
import { type PinnedVariable, type SetVariable, PROJECT_SCOPE, variablesFor } from '../../secrets/domain/variable.js';
import { addressIn, textIn, REFERENCE_PATTERN, type ComponentSpec, type ProjectSpec } from './project-spec.js';
import type { PortInfo, PortLookup } from './port-lookup.js';
import { type ComponentResources, resourcesOf } from './resources.js';

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
  /** What was set apart from hithe.yaml, and what is kept elsewhere; absent in releases from before there was such a thing. */
  variables?: Record<string, PinnedVariable>;
  source?: ResolvedSource;
  needs: string[];
  /** Endpoints that the port opens. */
  endpoints: string[];
  /** Endpoint → the fixed network port; the others are leased. */
  listen: Record<string, number>;
  health: HealthPolicy;
  /** Bytes and cores, for quotas; releases from before they were counted lack it. */
  resources?: ComponentResources;
}

/** What `resolveComponents` has to know of stored values. */
export interface StoredValues {
  /** The version of a secret var. */
  secretVersion: (component: string, name: string) => number | undefined;
  /** What is set apart from hithe.yaml. */
  variables: readonly SetVariable[];
  /** The version of the copy of what a reference names. */
  copyVersion: (reference: string) => number | undefined;
}

/** Turns a valid project into components with exact versions; call `validateProjectSpec` first. */
export function resolveComponents(spec: ProjectSpec, ports: PortLookup, stored: StoredValues): ResolvedComponent[] {
  return Object.entries(spec.components).map(([name, component]) => resolveComponent(name, component, ports, stored));
}

function resolveComponent(name: string, component: ComponentSpec, ports: PortLookup, stored: StoredValues): ResolvedComponent {
  const port = ports.find(component.port);
  const version = port?.resolveVersion(component.version);
  if (port === undefined || version === undefined) throw new Error(`component ${name} was not validated before it was resolved`);
  const secretNames = port.secretVars.map((secret) => secret.name);
  const set = variablesFor(name, takesProjectVariables(port), stored.variables);
  const variables = pinnedVariables(component, secretNames, set, stored);
  const vars = Object.fromEntries(
    Object.entries({ ...port.defaults, ...component.vars })
      .filter(([key]) => !secretNames.includes(key))
      .map(([key, value]) => [key, textIn(value) ?? '']),
  );
  const secrets = Object.fromEntries(
    port.secretVars.flatMap((secret) => {
      const isUsed = (secret.generate || secret.name in component.vars) && variables[secret.name]?.as !== 'var';
      const current = isUsed ? stored.secretVersion(name, secret.name) : undefined;
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
    env: plainEnvironment(component, set, variables),
    ...(Object.keys(variables).length === 0 ? {} : { variables }),
    ...(source === undefined ? {} : { source }),
    needs: component.needs,
    endpoints: Object.keys(port.hithe.endpoints),
    listen: component.listen,
    health: { ...port.hithe.health, ...definedOnly(component.health) },
    resources: resourcesOf(component, port),
  };
}

/** Apps get the variables of their project; a database gets those alone that are set for it. */
export function takesProjectVariables(port: PortInfo): boolean {
  return port.hithe.kind === 'app';
}

/** hithe.yaml's own `env`, and over it what is set; without what is secret. */
function plainEnvironment(
  component: ComponentSpec,
  set: ReadonlyMap<string, SetVariable>,
  pinned: Readonly<Record<string, PinnedVariable>>,
): Record<string, string> {
  const file = Object.entries(component.env).flatMap(([key, value]) =>
    typeof value === 'object' ? [] : [[key, textIn(value) ?? ''] as const],
  );
  const plain = [...set].flatMap(([key, variable]) => (variable.kind === 'plain' ? [[key, variable.value ?? ''] as const] : []));
  const isSecret = (key: string): boolean => pinned[key]?.as === 'env' && pinned[key].kind !== 'plain';
  return Object.fromEntries([...file, ...plain].filter(([key]) => !isSecret(key)));
}

/** The references of hithe.yaml, and over them what is set. A variable with the name of a secret var of the port is that var. */
function pinnedVariables(
  component: ComponentSpec,
  secretNames: readonly string[],
  set: ReadonlyMap<string, SetVariable>,
  { copyVersion }: StoredValues,
): Record<string, PinnedVariable> {
  const reference = (text: string): Pick<PinnedVariable, 'reference' | 'copy'> => {
    const copy = copyVersion(text);
    return { reference: text, ...(copy === undefined ? {} : { copy }) };
  };
  const file = (['env', 'var'] as const).flatMap((as) =>
    Object.entries(as === 'env' ? component.env : component.vars).flatMap(([key, value]): [string, PinnedVariable][] => {
      const address = addressIn(value);
      return address === undefined ? [] : [[key, { origin: 'file', kind: 'reference', as, ...reference(address) }]];
    }),
  );
  const own = [...set.values()].map(({ component: scope, name, version, kind, value }): [string, PinnedVariable] => {
    const origin = scope === PROJECT_SCOPE ? 'project' : 'component';
    const as = origin === 'component' && kind !== 'plain' && secretNames.includes(name) ? 'var' : 'env';
    return [name, { origin, kind, as, version, ...(kind === 'reference' ? reference(value ?? '') : {}) }];
  });
  return Object.fromEntries([...file, ...own]);
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
  reasons.push(...changedVariables(before, after));
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

/** A var of the port shows as a secret, since what the component exports may change with it. */
function changedVariables(before: ResolvedComponent, after: ResolvedComponent): string[] {
  const keysOf = ({ variables = {} }: ResolvedComponent, as: 'env' | 'var'): Record<string, string> =>
    Object.fromEntries(
      Object.entries(variables).flatMap(([name, variable]) =>
        variable.as === as && variable.kind !== 'plain' ? [[name, identityOf(variable)]] : [],
      ),
    );
  return [
    ...changedKeys('secret', keysOf(before, 'var'), keysOf(after, 'var')),
    ...changedKeys('variable', keysOf(before, 'env'), keysOf(after, 'env')),
  ];
}

/** The same for the same value. */
function identityOf({ origin, kind, version, reference, copy }: PinnedVariable): string {
  return kind === 'reference' ? `${reference ?? ''} ${copy ?? 0}` : `${origin} ${version ?? 0}`;
}

function changedKeys(what: string, before: Record<string, unknown>, after: Record<string, unknown>): string[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys.filter((key) => before[key] !== after[key]).map((key) => `${what} ${key} ${describe(before, after, key)}`);
}

function describe(before: Record<string, unknown>, after: Record<string, unknown>, key: string): string {
  if (!Object.hasOwn(before, key)) return 'added';
  return Object.hasOwn(after, key) ? 'changed' : 'removed';
}
