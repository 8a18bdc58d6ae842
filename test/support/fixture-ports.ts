import { hitheManifestSchema } from '../../src/modules/ports/domain/manifest.js';
import type { PortInfo, PortLookup } from '../../src/modules/projects/domain/port-lookup.js';

interface FixturePort {
  hithe: Record<string, unknown>;
  versions: string[];
  secretVars?: { name: string; generate: boolean }[];
  required?: string[];
  types?: Record<string, 'string' | 'number'>;
}

const PORTS: Record<string, FixturePort> = {
  postgres: {
    hithe: { kind: 'service', stateful: true, endpoints: { sql: { protocol: 'tcp', default: 5432 } }, exports: ['POSTGRES_URL'] },
    versions: ['18', '17'],
    secretVars: [{ name: 'POSTGRES_PASSWORD', generate: true }],
    types: { POSTGRES_DB: 'string', POSTGRES_MAX_CONNECTIONS: 'number' },
  },
  valkey: {
    hithe: { kind: 'service', stateful: true, endpoints: { valkey: { protocol: 'tcp' } }, exports: ['VALKEY_URL'] },
    versions: ['9', '8'],
  },
  'nodejs-app': { hithe: { kind: 'app', source: 'required', endpoints: { http: { protocol: 'http' } } }, versions: ['24', '22'] },
  'npm-app': {
    hithe: { kind: 'app', endpoints: { http: { protocol: 'http' } } },
    versions: ['24'],
    required: ['NPM_PACKAGE'],
    types: { NPM_PACKAGE: 'string' },
  },
};

function fixture(name: string, port: FixturePort): PortInfo {
  return {
    name,
    hithe: hitheManifestSchema.parse(port.hithe),
    versions: port.versions,
    secretVars: port.secretVars ?? [],
    defaults: {},
    resolveVersion: (constraint) => (constraint === undefined ? port.versions[0] : port.versions.find((version) => version === constraint)),
    checkVars: (vars) => [
      ...(port.required ?? [])
        .filter((key) => vars[key] === undefined)
        .map((key) => ({ path: '', code: 'VAR_MISSING', message: `"${key}" is required.`, fix: `Add ${key} to vars.` })),
      ...Object.entries(vars)
        .filter(([key, value]) => port.types?.[key] !== undefined && typeof value !== port.types[key])
        .map(([key]) => ({ path: key, code: 'VAR_TYPE', message: `must be a ${port.types?.[key] ?? ''}`, fix: 'Mend the type.' })),
    ],
  };
}

/** A small catalogue for unit tests of the pure domain. */
export const fixturePorts: PortLookup = {
  find: (name) => {
    const port = PORTS[name];
    return port === undefined ? undefined : fixture(name, port);
  },
  names: () => Object.keys(PORTS),
};
