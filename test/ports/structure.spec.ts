import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PORT_SCRIPTS } from '../../src/modules/ports/catalogue/catalogue.types.js';
import { compileVarsSchema } from '../../src/modules/ports/catalogue/vars-validator.js';
import { type Manifest, manifestSchema } from '../../src/modules/ports/domain/manifest.js';
import { PORTS_DIRECTORY, portNames, readPortFile, shellScripts } from './support/bundled-ports.js';

const REQUIRED_PORTS = ['command', 'nodejs', 'nodejs-app', 'npm-app', 'postgres', 's6', 'static-site', 'valkey'];
/** Tools of the platform itself, which no project uses. */
const INTERNAL = ['s6'];

const manifestOf = (port: string): Manifest => manifestSchema.parse(JSON.parse(readPortFile(`${port}/manifest.json`)));
const has = (port: string, file: string): boolean => existsSync(join(PORTS_DIRECTORY, port, file));
const publicPorts = portNames.filter((port) => !INTERNAL.includes(port));

describe('bundled ports', () => {
  it('are all there', () => {
    expect(portNames).toEqual(expect.arrayContaining(REQUIRED_PORTS));
  });

  it('have no script whose name the contract does not know, except what they source', () => {
    const known = new Set<string>([...PORT_SCRIPTS, 'lib.sh']);
    const strange = shellScripts.filter((script) => !script.startsWith('_lib/') && !known.has(script.split('/').slice(1).join('/')));
    expect(strange).toEqual([]);
  });
});

describe.each(publicPorts)('port %s', (port) => {
  const manifest = manifestOf(port);
  const { hithe } = manifest;

  it('has the files of its kind', () => {
    const always = ['README.md', 'vars.schema.json', 'versions.sh', 'env.sh', 'test.sh', 'preflight.sh'];
    const running = hithe.kind === 'toolchain' ? [] : ['start.sh', 'uninstall.sh'];
    const withData = hithe.stateful ? ['init.sh', 'backup.sh', 'restore.sh'] : [];
    const withVersions = hithe.stateful && hithe.kind === 'service' ? ['upgrade.sh'] : [];
    const withCode = hithe.source === 'none' ? [] : ['build.sh'];
    const withDatabases = hithe.databases.length > 0 ? ['provision.sh'] : [];
    const missing = [...always, ...running, ...withData, ...withVersions, ...withCode, ...withDatabases].filter((file) => !has(port, file));
    expect(missing).toEqual([]);
  });

  it('has a manifest that names it', () => {
    expect(manifest.name).toBe(port);
    expect(manifest.description.length).toBeGreaterThan(20);
    expect(manifest['versions']).toBeInstanceOf(Array);
    expect(manifest['ports']).toBeInstanceOf(Array);
  });

  it('can be installed in every version that it lists, newest first', () => {
    const printed = spawnSync('/bin/sh', ['-eu', join(PORTS_DIRECTORY, port, 'versions.sh')], { encoding: 'utf8' });
    const versions = printed.stdout.trim().split('\n');
    const base = Object.keys(hithe.requires)[0];
    const closures = Object.keys((base === undefined ? hithe : manifestOf(base).hithe).closures);
    expect(new Set(versions)).toEqual(new Set(closures));
    expect(versions).toEqual(versions.toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true })));
    if (base === undefined) expect(manifest['versions']).toEqual(versions);
  });

  it('has at least two versions when it has data of its own', () => {
    if (hithe.kind === 'service') expect(Object.keys(hithe.closures).length).toBeGreaterThanOrEqual(2);
  });

  it('describes every var, with a type and a default unless it is required or made up', () => {
    const schema = JSON.parse(readPortFile(`${port}/vars.schema.json`)) as VarsSchema;
    expect(() => compileVarsSchema(schema as unknown as Record<string, unknown>)).not.toThrow();
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
    expect(schema.additionalProperties).toBe(false);
    for (const [name, property] of Object.entries(schema.properties)) {
      expect(name).toMatch(/^[A-Z][A-Z0-9_]*$/);
      expect(property.description?.length ?? 0).toBeGreaterThan(10);
      expect(['string', 'integer', 'number', 'boolean']).toContain(property.type);
      const given = (schema.required ?? []).includes(name) || property['x-hithe-generate'] !== undefined;
      expect(given || property.default !== undefined).toBe(true);
      if (/PASSWORD|SECRET|TOKEN/.test(name)) expect(property.writeOnly).toBe(true);
    }
  });

  it('has defaults that its own schema accepts', () => {
    const schema = JSON.parse(readPortFile(`${port}/vars.schema.json`)) as VarsSchema;
    const optional = { ...schema, required: [] };
    const defaults = Object.fromEntries(
      Object.entries(schema.properties).flatMap(([name, { default: value }]) => (value === undefined ? [] : [[name, value]])),
    );
    const validate = compileVarsSchema(optional);
    expect([validate(defaults), validate.errors]).toEqual([true, null]);
  });
});

interface VarsSchema {
  $schema: string;
  additionalProperties: boolean;
  required?: string[];
  properties: Record<string, { type?: string; description?: string; default?: unknown; writeOnly?: boolean; 'x-hithe-generate'?: string }>;
}
