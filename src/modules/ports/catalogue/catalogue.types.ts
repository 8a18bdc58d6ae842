import type { Fault } from '../../../common/domain-error.js';
import type { Manifest } from '../domain/manifest.js';

/** The script names of the contract, in the order of docs/ports.md. */
export const PORT_SCRIPTS = [
  'versions.sh',
  'setup.sh',
  'build.sh',
  'init.sh',
  'env.sh',
  'start.sh',
  'test.sh',
  'preflight.sh',
  'provision.sh',
  'backup.sh',
  'restore.sh',
  'upgrade.sh',
  'reload.sh',
  'stop.sh',
  'uninstall.sh',
] as const;
export type PortScript = (typeof PORT_SCRIPTS)[number];

/** One var of a port as people are told about it. */
export interface PortVar {
  name: string;
  description: string;
  type: string;
  required: boolean;
  default?: string;
  /** Marked `writeOnly`: never shown again once set. */
  secret: boolean;
  /** Made by the platform when nobody sets it. */
  generate?: 'password';
}

/** A port as the catalogue read it. */
export interface Port {
  name: string;
  /** Its directory. */
  dir: string;
  /** Directory laid over `dir` by `ports/overlays/<name>`: its files win. */
  overlay: string | undefined;
  /** Where `_lib/` of the scripts is found. */
  libDir: string;
  origin: 'bundled' | 'added' | 'libscript';
  manifest: Manifest;
  /** `vars.schema.json` as it is. */
  varsSchema: Record<string, unknown>;
  vars: PortVar[];
  /** What can be installed, newest first. Empty: nothing can, and `faults` of the catalogue or the docs tell why. */
  versions: string[];
  scripts: PortScript[];
}

/** Why a port directory is not (fully) usable. */
export interface PortFault extends Fault {
  port: string;
  dir: string;
}

/** A var that nobody set and that the platform makes up. */
export interface VarToGenerate {
  name: string;
  kind: 'password';
}

/** What `validateVars` found. `values` is complete only when there are no faults. */
export interface ValidatedVars {
  /** Everything as text, defaults included, ready for an environment. */
  values: Record<string, string>;
  faults: Fault[];
  generate: VarToGenerate[];
}
