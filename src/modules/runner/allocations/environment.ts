import { join } from 'node:path';
import { DomainError } from '../../../common/domain-error.js';
import type { DesiredAllocation } from '../../../link/messages.js';
import type { Manifest } from '../../ports/domain/manifest.js';
import { REFERENCE_PATTERN } from '../../projects/domain/project-spec.js';

/** Where a sandbox shows a port's scripts and what `setup.sh` installed. */
export const PORTS_TARGET = '/opt/hithe/ports';
export const PREFIX_TARGET = '/opt/hithe/prefix';
/** Where a sandbox shows a release: one path for all, so that what names files by their path, such as a compile cache, outlives a release. */
export const RELEASE_TARGET = '/opt/hithe/release';

/** Absolute paths of a component; the same inside and outside the sandbox. */
export interface ComponentPaths {
  tenant: string;
  component: string;
}

export interface EnvironmentInput {
  allocation: DesiredAllocation;
  manifest: Manifest;
  paths: ComponentPaths;
  /** Where the release is on the host, for ports that build. */
  releaseDir: string | undefined;
}

/** Where a sandbox shows the run directory of a component: short, since a socket's path is limited to 107 bytes. */
export function runDirectoryTarget(component: string): string {
  return `/run/${component}`;
}

/** The variables that every script of a component sees, by the contract of ports: paths, listen addresses, then its own vars. */
export function scriptEnvironment({ allocation, manifest, paths, releaseDir }: EnvironmentInput): Record<string, string> {
  const { component } = paths;
  return {
    PATH: `${PREFIX_TARGET}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
    TMPDIR: '/tmp',
    HOME: join(component, 'home'),
    LIBSCRIPT_ROOT_DIR: PORTS_TARGET,
    LIBSCRIPT_PROJECT_DIR: paths.tenant,
    INSTALL_DIR: join(paths.tenant, allocation.project),
    HERMETIC_BUILD: '1',
    PROJECT_NAME: allocation.project,
    COMPONENT_NAME: allocation.component,
    COMPONENT_DIR: component,
    PREFIX: PREFIX_TARGET,
    DATA_DIR: join(component, 'data'),
    LOG_DIR: join(component, 'log'),
    BUILD_DIR: join(component, 'build'),
    DOWNLOAD_DIR: join(component, 'download'),
    SOURCE_DIR: join(component, 'source'),
    RUN_DIR: runDirectoryTarget(allocation.component),
    ...(releaseDir === undefined ? {} : { RELEASE_DIR: RELEASE_TARGET }),
    ...versions(allocation, manifest),
    ...allocation.vars,
    ...listenVariables(allocation, manifest),
  };
}

/** `POSTGRES_VERSION` and, for what a port runs on, `NODEJS_VERSION`. */
function versions({ port, version }: DesiredAllocation, manifest: Manifest): Record<string, string> {
  const all = Object.entries({ ...manifest.hithe.requires, [port]: version });
  return Object.fromEntries(all.map(([name, value]) => [`${variableName(name)}_VERSION`, value.replace('$VERSION', version)]));
}

const variableName = (name: string): string => name.toUpperCase().replaceAll('-', '_');

/** Each endpoint's leased network port in the var that the manifest names; the first endpoint's in libscript's own variables as well. */
function listenVariables(allocation: DesiredAllocation, manifest: Manifest): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, endpoint] of Object.entries(manifest.hithe.endpoints).reverse()) {
    const leased = allocation.listen[name];
    if (leased) {
      variables['LIBSCRIPT_LISTEN_ADDRESS'] = leased.address;
      variables['LIBSCRIPT_LISTEN_PORT'] = String(leased.port);
      if (endpoint.var !== undefined) variables[endpoint.var] = String(leased.port);
    }
    if (endpoint.socket !== undefined)
      variables['LIBSCRIPT_LISTEN_SOCKET'] = join(runDirectoryTarget(allocation.component), endpoint.socket);
  }
  return variables;
}

/** Needed component → what it exports. */
export type ExportsByNeed = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * The component's `env` with each `${db.POSTGRES_URL}` replaced, and its secrets, over the plain exports of its needs. An export that two needs share is
 * left out of the plain ones: it would be either's.
 */
export function componentEnvironment(allocation: DesiredAllocation, needs: ExportsByNeed): Record<string, string> {
  const own = Object.entries(allocation.env).map(([name, value]) => [name, resolveReferences(allocation.component, name, value, needs)]);
  return { ...plainExports(needs), ...(Object.fromEntries(own) as Record<string, string>), ...allocation.secretEnv };
}

/** The entries of `env` that need nothing of other components and are no secrets: all that a build may see. */
export function constantEnvironment(allocation: DesiredAllocation): Record<string, string> {
  return Object.fromEntries(Object.entries(allocation.env).filter(([, value]) => value.search(REFERENCE_PATTERN) === -1));
}

function plainExports(needs: ExportsByNeed): Record<string, string> {
  const all = Object.values(needs).flatMap((exports) => Object.entries(exports));
  return Object.fromEntries(all.filter(([name]) => all.filter(([other]) => other === name).length === 1));
}

function resolveReferences(component: string, variable: string, value: string, needs: ExportsByNeed): string {
  return value.replaceAll(REFERENCE_PATTERN, (reference, need: string, name: string) => {
    const found = needs[need]?.[name];
    if (found !== undefined) return found;
    throw new DomainError(
      'invalid',
      'REFERENCE_UNRESOLVED',
      `${variable} of "${component}" refers to ${reference}, which "${need}" does not export.`,
      {
        fix: `Name an export of "${need}", and list "${need}" among the needs of "${component}".`,
      },
    );
  });
}
