import { isAbsolute, join } from 'node:path';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import type { Fault } from '../../common/domain-error.js';
import { notFound } from '../../common/domain-error.js';
import { Config } from '../../config/config.js';
import type { PortInfo, PortLookup } from '../projects/domain/port-lookup.js';
import type { Port } from './catalogue/catalogue.types.js';
import { PortCatalogue } from './catalogue/port-catalogue.js';
import { bundledPortsDirectory } from './bundled-ports.js';

/** The catalogue of ports, read once at the start. */
@Injectable()
export class PortsService implements PortLookup, OnModuleInit {
  private readonly logger = new Logger('Ports');
  private loaded: PortCatalogue | undefined;

  constructor(private readonly config: Config) {}

  async onModuleInit(): Promise<void> {
    const dirs = [bundledPortsDirectory(), ...this.config.portsPath.map((dir) => (isAbsolute(dir) ? dir : join(process.cwd(), dir)))];
    this.loaded = await PortCatalogue.load(dirs);
    for (const fault of this.loaded.faults) this.logger.warn(`${fault.dir}: ${fault.path === '' ? '' : `${fault.path}: `}${fault.message}`);
  }

  /** Every usable port, by name. */
  list(): Port[] {
    return this.catalogue().list();
  }

  /** The port; `PORT_NOT_FOUND` without one. */
  get(name: string): Port {
    const port = this.catalogue().find(name);
    if (port === undefined) throw notFound('port', name);
    return port;
  }

  names(): string[] {
    return this.list().map((port) => port.name);
  }

  find(name: string): PortInfo | undefined {
    const port = this.catalogue().find(name);
    return port === undefined ? undefined : infoOf(this.catalogue(), port);
  }

  private catalogue(): PortCatalogue {
    if (this.loaded === undefined) throw new TypeError('The catalogue has not been read yet');
    return this.loaded;
  }
}

/** What the rules for projects have to know of a port. */
function infoOf(catalogue: PortCatalogue, port: Port): PortInfo {
  return {
    name: port.name,
    hithe: port.manifest.hithe,
    versions: port.versions,
    secretVars: port.vars.filter((entry) => entry.secret).map((entry) => ({ name: entry.name, generate: entry.generate === 'password' })),
    defaults: Object.fromEntries(port.vars.flatMap((entry) => (entry.default === undefined ? [] : [[entry.name, entry.default]]))),
    checkVars: (vars, alreadySet): Fault[] =>
      catalogue.validateVars(port, vars, '').faults.flatMap((fault) => {
        const path = fault.path.replace(/^\./, '');
        return fault.code === 'VAR_MISSING' && alreadySet.includes(path) ? [] : [{ ...fault, path }];
      }),
    resolveVersion: (constraint) => {
      if (port.versions.length === 0) return undefined;
      try {
        return catalogue.resolveVersion(port, constraint);
      } catch {
        return undefined;
      }
    },
  };
}
