import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { manifestSchema, type Manifest } from '../domain/manifest.js';
import { PORT_SCRIPTS, type Port, type PortFault, type PortScript } from './catalogue.types.js';
import { compareVersions } from './version.js';
import { describeVars, emptyVarsSchema } from './vars.js';
import { compileVarsSchema } from './vars-validator.js';

/** Where a port directory was found. */
export interface PortPlace {
  name: string;
  dir: string;
  origin: Port['origin'];
  overlay: string | undefined;
  libDir: string;
}

export interface ReadPort {
  port: Port | undefined;
  faults: PortFault[];
}

/** Libscript's ports say nothing to Hithe: they are listed, and need an overlay to be installed. */
const FOREIGN_HITHE = { kind: 'toolchain', scope: 'project' };

/** Reads one port directory. Faults are collected; a port with a faulty manifest or schema is left out. */
export async function readPort(place: PortPlace): Promise<ReadPort> {
  const faults: PortFault[] = [];
  const fault = (path: string, code: string, message: string, fix: string): void => {
    faults.push({ port: place.name, dir: place.dir, path, code, message, fix });
  };
  const manifest = await readManifest(place, fault);
  const varsSchema = await readVarsSchema(place, fault);
  if (manifest === undefined || varsSchema === undefined) return { port: undefined, faults };
  const versions = Object.keys(manifest.hithe.closures).sort(compareVersions).reverse();
  const port: Port = {
    name: place.name,
    dir: place.dir,
    overlay: place.overlay,
    libDir: place.libDir,
    origin: place.origin,
    manifest,
    varsSchema,
    vars: describeVars(varsSchema),
    versions,
    scripts: await scriptsOf(place),
  };
  checkScripts(port, fault);
  return { port, faults };
}

type AddFault = (path: string, code: string, message: string, fix: string) => void;

async function readManifest(place: PortPlace, fault: AddFault): Promise<Manifest | undefined> {
  const own = await readJson(place.dir, 'manifest.json', fault);
  if (own === undefined) return undefined;
  if (own === 'absent') {
    fault('manifest.json', 'PORT_MANIFEST_MISSING', `The port directory ${place.dir} has no manifest.json.`, 'Add one; see docs/ports.md.');
    return undefined;
  }
  const over = place.overlay === undefined ? 'absent' : await readJson(place.overlay, 'manifest.json', fault);
  if (over === undefined) return undefined;
  const base = place.origin === 'bundled' ? own : { title: place.name, description: '', category: 'other', hithe: FOREIGN_HITHE, ...own };
  const merged = over === 'absent' ? base : { ...base, ...over };
  const parsed = manifestSchema.safeParse(merged);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) reportIssue(issue, fault);
    return undefined;
  }
  if (parsed.data.name !== place.name) {
    fault(
      'manifest.json:name',
      'PORT_NAME_MISMATCH',
      `The manifest says "${parsed.data.name}", its directory "${place.name}".`,
      'Give both the same name.',
    );
    return undefined;
  }
  return parsed.data;
}

function reportIssue(issue: z.core.$ZodIssue, fault: AddFault): void {
  const path = issue.path.map(String).join('.');
  fault(
    `manifest.json:${path}`,
    'PORT_MANIFEST_INVALID',
    `${path === '' ? 'The manifest' : path}: ${issue.message}.`,
    'Correct it; docs/ports.md describes each key.',
  );
}

async function readVarsSchema(place: PortPlace, fault: AddFault): Promise<Record<string, unknown> | undefined> {
  const over = place.overlay === undefined ? 'absent' : await readJson(place.overlay, 'vars.schema.json', fault);
  const found = over === 'absent' ? await readJson(place.dir, 'vars.schema.json', fault) : over;
  if (found === undefined) return undefined;
  if (found === 'absent') return emptyVarsSchema(place.name);
  try {
    compileVarsSchema(found, place.origin === 'bundled');
    return found;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    fault('vars.schema.json', 'PORT_SCHEMA_INVALID', `vars.schema.json is not a JSON Schema 2020-12: ${reason}.`, 'Correct the schema.');
    return undefined;
  }
}

/** The object in a file, 'absent' without one, undefined (and a fault) when it is not an object. */
async function readJson(dir: string, file: string, fault: AddFault): Promise<Record<string, unknown> | 'absent' | undefined> {
  let text: string;
  try {
    text = await readFile(join(dir, file), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'absent';
    fault(
      file,
      'PORT_FILE_UNREADABLE',
      `${file} cannot be read: ${(error as Error).message}.`,
      'Make the file readable for the control plane and the agent.',
    );
    return undefined;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
    fault(file, 'PORT_JSON_INVALID', `${file} holds no JSON object.`, 'Correct the file.');
  } catch (error) {
    fault(file, 'PORT_JSON_INVALID', `${file} is not JSON: ${(error as Error).message}.`, 'Correct the file.');
  }
  return undefined;
}

async function scriptsOf(place: PortPlace): Promise<PortScript[]> {
  const names = new Set(await readdir(place.dir));
  if (place.overlay !== undefined) for (const name of await readdir(place.overlay)) names.add(name);
  return PORT_SCRIPTS.filter((script) => names.has(script));
}

/** What runs must have a start, and a way to tell whether it is well. */
function checkScripts(port: Port, fault: AddFault): void {
  if (port.manifest.hithe.kind === 'toolchain') return;
  for (const script of ['start.sh', 'test.sh'] as const) {
    if (!port.scripts.includes(script)) {
      fault(
        script,
        'PORT_SCRIPT_MISSING',
        `A port of kind "${port.manifest.hithe.kind}" needs ${script}.`,
        `Add ${script}; docs/ports.md says what it must do.`,
      );
    }
  }
}

/** Whether something is there, whatever it is. */
export async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
