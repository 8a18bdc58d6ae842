import type { Fault } from '../../../common/domain-error.js';
import type { HitheManifest } from '../../ports/domain/manifest.js';

/** What the validation of a project has to know of a port. */
export interface PortInfo {
  name: string;
  hithe: HitheManifest;
  /** Versions that can be installed, newest first. */
  versions: readonly string[];
  /** The vars that hold secrets; `generate` ones get a password when nobody sets them. */
  secretVars: readonly { name: string; generate: boolean }[];
  /** The defaults of the vars, as text. */
  defaults: Readonly<Record<string, string>>;
  /** The faults of these vars against the port's vars.schema.json; paths are names of vars. Generated and `alreadySet` ones count as set. */
  checkVars(vars: Record<string, string | number | boolean>, alreadySet: readonly string[]): Fault[];
  /** The key of the closure that this constraint means, the newest when absent; undefined when there is none. */
  resolveVersion(constraint: string | undefined): string | undefined;
}

/** Finds ports by name; the catalogue stands behind it. */
export interface PortLookup {
  find(name: string): PortInfo | undefined;
  names(): string[];
}
