import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DomainError } from '../../../common/domain-error.js';
import type { ClosureDeclaration } from '../domain/manifest.js';
import type { Port, PortFault, ValidatedVars } from './catalogue.types.js';
import { exists, readPort, type PortPlace } from './port-reader.js';
import { validateVars } from './vars-validator.js';
import { compareVersions, meetsConstraint } from './version.js';

/** A port's place in a chain of `requires`, with the version it is used in. */
export interface PortUse {
  port: Port;
  version: string;
}

/** What a version of a port is installed from. */
export interface InstallSource {
  closure: ClosureDeclaration;
  /** The ports that it runs on, the deepest first, and itself last: their scripts come along. */
  chain: PortUse[];
}

/**
 * The ports that this installation knows. The first directory is the bundled one; a name that turns up again later is a
 * fault, the first one stays. Reading never throws for a bad port: see `faults`.
 */
export class PortCatalogue {
  private constructor(
    private readonly ports: ReadonlyMap<string, Port>,
    readonly faults: readonly PortFault[],
  ) {}

  /** Reads all port directories of `dirs`: `<dir>/<name>/`, and in a libscript checkout `_lib/` and `stacks/` `<category>/<name>/`. */
  static async load(dirs: readonly string[]): Promise<PortCatalogue> {
    const faults: PortFault[] = [];
    const found = new Map<string, Port>();
    const bundled = dirs[0] ?? '.';
    for (const place of await findPlaces(dirs, bundled, faults)) {
      const read = await readPort(place);
      faults.push(...read.faults);
      if (read.port === undefined) continue;
      const first = found.get(place.name);
      if (first === undefined) found.set(place.name, read.port);
      else faults.push(duplicate(place, first));
    }
    const resolved = new Map([...found].map(([name, port]) => [name, withRequiredVersions(port, found, faults)]));
    return new PortCatalogue(new Map([...resolved].sort(([a], [b]) => (a < b ? -1 : 1))), faults);
  }

  /** All usable ports by name. */
  list(): Port[] {
    return [...this.ports.values()];
  }

  /** The port, or undefined. */
  find(name: string): Port | undefined {
    return this.ports.get(name);
  }

  /** The port; `PORT_UNKNOWN` with the nearest names otherwise. */
  get(name: string): Port {
    const port = this.ports.get(name);
    if (port !== undefined) return port;
    const broken = this.faults.find((fault) => fault.port === name);
    if (broken !== undefined) {
      throw new DomainError('invalid', 'PORT_INVALID', `The port "${name}" cannot be used: ${broken.message}`, {
        fix: broken.fix ?? 'Correct the port.',
      });
    }
    throw new DomainError('invalid', 'PORT_UNKNOWN', `There is no port "${name}".`, {
      fix: `Use one of: ${[...this.ports.keys()].join(', ')}.`,
      details: { available: [...this.ports.keys()] },
    });
  }

  /** The newest closure key that meets the constraint, the newest of all without one; `PORT_VERSION_UNKNOWN` otherwise. */
  resolveVersion(port: string | Port, constraint?: string): string {
    const { name, versions } = typeof port === 'string' ? this.get(port) : port;
    if (versions.length === 0) {
      throw new DomainError('invalid', 'PORT_NOT_INSTALLABLE', `The port "${name}" declares nothing to install.`, {
        fix: `Add an overlay ports/overlays/${name}/manifest.json with "hithe.closures"; see docs/ports.md.`,
      });
    }
    const match = versions.find((version) => meetsConstraint(version, constraint ?? '*') === true);
    if (match !== undefined) return match;
    throw new DomainError('invalid', 'PORT_VERSION_UNKNOWN', `The port "${name}" has no version "${constraint ?? ''}".`, {
      fix: `Use one of: ${versions.join(', ')}.`,
      details: { available: versions },
    });
  }

  /** What a version (a closure key) is installed from; follows `requires` for a port without closures of its own. */
  installSource(name: string, version: string): InstallSource {
    const chain: PortUse[] = [];
    let port = this.get(name);
    let key = this.resolveVersion(port, version);
    for (;;) {
      chain.unshift({ port, version: key });
      const closure = port.manifest.hithe.closures[key];
      if (closure !== undefined) return { closure, chain };
      const [next] = Object.entries(port.manifest.hithe.requires);
      if (next === undefined || chain.some((use) => use.port.name === next[0])) {
        throw new DomainError('invalid', 'PORT_NOT_INSTALLABLE', `The port "${name}" declares nothing to install.`, {
          fix: `Declare "hithe.closures" or "hithe.requires" in its manifest; see docs/ports.md.`,
        });
      }
      key = this.resolveVersion(next[0], next[1].replaceAll('$VERSION', key));
      port = this.get(next[0]);
    }
  }

  /** See `validateVars`. */
  validateVars(port: string | Port, vars: Readonly<Record<string, unknown>>, path?: string): ValidatedVars {
    return validateVars(typeof port === 'string' ? this.get(port) : port, vars, path);
  }
}

async function findPlaces(dirs: readonly string[], bundled: string, faults: PortFault[]): Promise<PortPlace[]> {
  const places: PortPlace[] = [];
  const libDir = join(bundled, '_lib');
  for (const dir of dirs) {
    if (!(await isDirectory(dir))) {
      const port = basename(dir);
      faults.push({
        port,
        dir,
        path: '',
        code: 'PORTS_DIRECTORY_MISSING',
        message: `There is no directory ${dir}.`,
        fix: 'Correct HITHE_PORTS_PATH.',
      });
      continue;
    }
    const direct = (await subdirectories(dir)).filter((name) => !/^[_.]/.test(name) && name !== 'overlays' && name !== 'stacks');
    for (const name of direct) {
      if (dir !== bundled && !(await exists(join(dir, name, 'manifest.json')))) continue;
      places.push(await placeOf(bundled, libDir, name, join(dir, name), dir === bundled ? 'bundled' : 'added'));
    }
    for (const [name, path] of await libscriptPorts(dir)) places.push(await placeOf(bundled, libDir, name, path, 'libscript'));
  }
  return places;
}

async function placeOf(bundled: string, libDir: string, name: string, dir: string, origin: Port['origin']): Promise<PortPlace> {
  const overlay = join(bundled, 'overlays', name);
  return { name, dir, origin, libDir, overlay: origin !== 'bundled' && (await isDirectory(overlay)) ? overlay : undefined };
}

/** `_lib/<category>/<name>/` and `stacks/<category>/<name>/` that hold a manifest. */
async function libscriptPorts(dir: string): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for (const top of ['_lib', 'stacks']) {
    for (const category of await subdirectories(join(dir, top))) {
      if (/^[_.]/.test(category)) continue;
      for (const name of await subdirectories(join(dir, top, category))) {
        const path = join(dir, top, category, name);
        if (!/^[_.]/.test(name) && (await exists(join(path, 'manifest.json')))) found.push([name, path]);
      }
    }
  }
  return found;
}

async function subdirectories(dir: string): Promise<string[]> {
  if (!(await isDirectory(dir))) return [];
  const names = (await readdir(dir)).sort();
  const flags = await Promise.all(names.map((name) => isDirectory(join(dir, name))));
  return names.filter((_name, index) => flags[index]);
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

function duplicate(place: PortPlace, first: Port): PortFault {
  const message = `A port "${place.name}" was found before, in ${first.dir}; this one is left out.`;
  return { port: place.name, dir: place.dir, path: '', code: 'PORT_DUPLICATE', message, fix: 'Rename or remove one of the two.' };
}

/** A port without closures has the versions of the first port that it runs on. */
function withRequiredVersions(port: Port, all: ReadonlyMap<string, Port>, faults: PortFault[]): Port {
  for (const name of Object.keys(port.manifest.hithe.requires)) {
    if (all.has(name)) continue;
    const message = `The port "${port.name}" runs on a port "${name}", which is not there.`;
    faults.push({
      port: port.name,
      dir: port.dir,
      path: `manifest.json:hithe.requires.${name}`,
      code: 'PORT_REQUIRES_UNKNOWN',
      message,
      fix: 'Add that port, or correct "requires".',
    });
  }
  return port.versions.length > 0 ? port : { ...port, versions: requiredVersions(port, all, new Set()) };
}

function requiredVersions(port: Port, all: ReadonlyMap<string, Port>, seen: Set<string>): string[] {
  if (port.versions.length > 0 || seen.has(port.name)) return port.versions;
  seen.add(port.name);
  const [first] = Object.entries(port.manifest.hithe.requires);
  const next = first === undefined ? undefined : all.get(first[0]);
  if (first === undefined || next === undefined) return [];
  const available = requiredVersions(next, all, seen);
  if (first[1].includes('$VERSION')) return available;
  return [...available]
    .filter((version) => meetsConstraint(version, first[1]) === true)
    .sort(compareVersions)
    .reverse();
}
