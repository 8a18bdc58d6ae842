import { describe, expect, it } from '@jest/globals';
import { fixturePorts } from '../../../../test/support/fixture-ports.js';
import type { SetVariable } from '../../secrets/domain/variable.js';
import { parseProjectSpec } from './parse-spec.js';
import { projectJsonSchema, REDACTED } from './project-spec.js';
import { differences, exportsMayChange, readsFrom, resolveComponents } from './resolved-component.js';
import { validateProjectSpec } from './validate-spec.js';

const guestbook = () => ({
  name: 'guestbook',
  components: {
    db: { port: 'postgres', version: '17', vars: { POSTGRES_DB: 'guestbook' } },
    cache: { port: 'valkey', version: 8 },
    web: {
      port: 'nodejs-app',
      source: { path: './app', digest: `sha256-${'a'.repeat(64)}` },
      needs: ['db', 'cache'],
      env: { DATABASE_URL: '${db.POSTGRES_URL}' },
    },
  } as Record<string, Record<string, unknown>>,
});

function faultsOf(input: unknown): { path: string; code: string; message: string; fix?: string }[] {
  const parsed = parseProjectSpec(input);
  if (!parsed.ok) return parsed.faults;
  return validateProjectSpec(parsed.spec, { ports: fixturePorts, hasSource: () => true });
}

function with_(component: string, change: Record<string, unknown>) {
  const spec = guestbook();
  spec.components[component] = { ...spec.components[component], ...change };
  return spec;
}

describe('a project file', () => {
  it('is accepted when nothing is wrong with it', () => {
    expect(faultsOf(guestbook())).toEqual([]);
  });

  it.each([
    ['an unknown port', with_('db', { port: 'postgers' }), 'components.db.port', 'PORT_UNKNOWN', 'postgres'],
    ['a version that does not exist', with_('db', { version: '9.9' }), 'components.db.version', 'VERSION_UNKNOWN', '18 or 17'],
    ['a cycle', with_('db', { needs: ['web'] }), 'components.db.needs', 'NEEDS_CYCLE', 'web'],
    ['a component that needs itself', with_('db', { needs: ['db'] }), 'components.db.needs', 'NEEDS_CYCLE', 'db'],
    ['an unknown need', with_('web', { needs: ['db', 'cahe'], env: {} }), 'components.web.needs[1]', 'NEEDS_UNKNOWN', 'cache'],
    ['a need named twice', with_('web', { needs: ['db', 'db'] }), 'components.web.needs[1]', 'NEEDS_DUPLICATE', 'two'],
    ['a missing var', with_('extra', { port: 'npm-app' }), 'components.extra.vars', 'VAR_MISSING', 'NPM_PACKAGE'],
    [
      'a wrong type',
      with_('db', { vars: { POSTGRES_MAX_CONNECTIONS: 'many' } }),
      'components.db.vars.POSTGRES_MAX_CONNECTIONS',
      'VAR_TYPE',
      'type',
    ],
    [
      'a reference to what nothing exports',
      with_('web', { env: { A: '${db.POSTGRES_URI}' } }),
      'components.web.env.A',
      'EXPORT_UNKNOWN',
      '${db.POSTGRES_URL}',
    ],
    [
      'a reference to what is not needed',
      with_('web', { needs: ['cache'] }),
      'components.web.env.DATABASE_URL',
      'REFERENCE_NOT_NEEDED',
      '"db"',
    ],
    [
      'a reference to no component',
      with_('web', { env: { A: '${dbs.POSTGRES_URL}' } }),
      'components.web.env.A',
      'REFERENCE_UNKNOWN_COMPONENT',
      '"db"',
    ],
    [
      'a reference in vars',
      with_('db', { vars: { POSTGRES_DB: '${cache.VALKEY_URL}' } }),
      'components.db.vars.POSTGRES_DB',
      'REFERENCE_MISPLACED',
      'env',
    ],
    ['a missing source', with_('web', { source: undefined }), 'components.web.source', 'SOURCE_REQUIRED', 'path: ./app'],
    [
      'a source that is not uploaded',
      with_('web', { source: { path: './app' } }),
      'components.web.source',
      'SOURCE_NOT_UPLOADED',
      'upload',
    ],
    ['a source where none belongs', with_('db', { source: { path: '.' } }), 'components.db.source', 'SOURCE_UNEXPECTED', 'Remove'],
    [
      'a git option as an address',
      with_('web', { source: { git: '--upload-pack=x' } }),
      'components.web.source.git',
      'SOURCE_ADDRESS',
      'https://',
    ],
    [
      'a git helper as an address',
      with_('web', { source: { git: 'ext::sh -c x' } }),
      'components.web.source.git',
      'SOURCE_ADDRESS',
      'https://',
    ],
    ['a local git address', with_('web', { source: { git: 'file:///etc' } }), 'components.web.source.git', 'SOURCE_ADDRESS', 'https://'],
    [
      'an option as a ref',
      with_('web', { source: { git: 'https://example.com/a.git', ref: '-x' } }),
      'components.web.source.ref',
      'SOURCE_REF',
      'branch',
    ],
    ['an unknown endpoint', with_('web', { listen: { htp: 8080 } }), 'components.web.listen.htp', 'ENDPOINT_UNKNOWN', 'http'],
    ['a privileged network port', with_('web', { listen: { http: 80 } }), 'components.web.listen.http', 'LISTEN_PORT_PRIVILEGED', '1024'],
    ['an unknown key', with_('web', { need: ['db'] }), 'components.web.need', 'KEY_UNKNOWN', '"needs"'],
    ['a missing port', with_('web', { port: undefined }), 'components.web.port', 'KEY_MISSING', 'text'],
    ['a list where a mapping belongs', with_('web', { env: ['A=1'] }), 'components.web.env', 'TYPE_WRONG', 'mapping'],
    ['a mapping where a value belongs', with_('web', { env: { A: { b: 1 } } }), 'components.web.env.A', 'TYPE_WRONG', 'text'],
    ['half a source', with_('web', { source: {} }), 'components.web.source', 'SOURCE_INVALID', 'forms'],
    ['a bad name', with_('My DB', { port: 'valkey' }), 'components.My DB', 'NAME_INVALID', 'my-db'],
    ['no components', { name: 'x', components: {} }, 'components', 'SPEC_VALUE', ''],
    ['no mapping at all', 'guestbook', '', 'TYPE_WRONG', 'mapping'],
  ])('names the place and the mend of %s', (_what, spec, path, code, fix) => {
    const faults = faultsOf(spec);
    expect(faults.map((fault) => [fault.path, fault.code])).toContainEqual([path, code]);
    const fault = faults.find((candidate) => candidate.path === path && candidate.code === code);
    expect(fault?.fix).toContain(fix);
    expect(fault?.message).toMatch(/\S/);
  });

  it('reports every fault at once', () => {
    const spec = with_('db', { port: 'nothing' });
    spec.components['web'] = { ...spec.components['web'], needs: ['nobody'], env: {} };
    expect(
      faultsOf(spec)
        .map((fault) => fault.code)
        .sort(),
    ).toEqual(['NEEDS_UNKNOWN', 'PORT_UNKNOWN']);
  });

  it('refuses two names that differ in - and _ only', () => {
    const spec = guestbook();
    spec.components['my-db'] = { port: 'valkey' };
    spec.components['my_db'] = { port: 'valkey' };
    expect(faultsOf(spec)).toMatchObject([{ path: 'components.my_db', code: 'NAME_DUPLICATE' }]);
  });

  it('refuses one network port for two endpoints', () => {
    const spec = with_('web', { listen: { http: 8080 } });
    spec.components['cache'] = { port: 'valkey', listen: { valkey: 8080 } };
    expect(faultsOf(spec)).toMatchObject([{ code: 'LISTEN_PORT_DUPLICATE' }]);
  });

  it('keeps a stored secret that is sent back hidden', () => {
    const parsed = parseProjectSpec(with_('db', { vars: { POSTGRES_MAX_CONNECTIONS: REDACTED } }));
    if (!parsed.ok) throw new Error('the project file is valid');
    const context = { ports: fixturePorts, hasSource: () => true };
    expect(validateProjectSpec(parsed.spec, context)).toHaveLength(1);
    expect(validateProjectSpec(parsed.spec, { ...context, storedSecrets: () => ['POSTGRES_MAX_CONNECTIONS'] })).toEqual([]);
  });

  it('names an address that cannot be read, and one in a var that everybody sees', () => {
    const faults = (component: string, change: Record<string, unknown>) => {
      const parsed = parseProjectSpec(with_(component, change));
      if (!parsed.ok) return parsed.faults;
      const addressFault = (address: string) =>
        address.startsWith('vault:') ? undefined : { code: 'SECRET_REFERENCE_INVALID', message: 'no' };
      return validateProjectSpec(parsed.spec, { ports: fixturePorts, hasSource: () => true, addressFault });
    };
    expect(faults('db', { vars: { POSTGRES_PASSWORD: { from: 'vault:kv/a#b' } } })).toEqual([]);
    expect(faults('db', { vars: { POSTGRES_DB: { from: 'vault:kv/a#b' } } })).toMatchObject([{ code: 'ADDRESS_NOT_SECRET' }]);
    expect(faults('web', { env: { A: { from: 'elsewhere' } } })).toMatchObject([{ path: 'components.web.env.A.from' }]);
    expect(faults('web', { env: { A: { form: 'vault:kv/a#b' } } })).toHaveLength(1);
  });

  it('is described by a JSON Schema', () => {
    expect(projectJsonSchema()).toMatchObject({ type: 'object', required: ['name', 'components'] });
  });
});

describe('resolved components', () => {
  const resolve = (input: unknown, variables: SetVariable[] = [], copy = 1) => {
    const parsed = parseProjectSpec(input);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
    return Object.fromEntries(
      resolveComponents(parsed.spec, fixturePorts, {
        secretVersion: (_component, name) => (name === 'POSTGRES_PASSWORD' ? 1 : undefined),
        variables,
        copyVersion: () => copy,
      }).map((c) => [c.name, c]),
    );
  };
  const base = resolve(guestbook());
  const pick = (of: ReturnType<typeof resolve>, name: string) => {
    const component = of[name];
    if (component === undefined) throw new Error(`no ${name}`);
    return component;
  };

  it('choose the newest version and keep secrets out', () => {
    expect(pick(base, 'web')).toMatchObject({ version: '24', source: { kind: 'archive' } });
    expect(pick(base, 'cache').version).toBe('8');
    expect(pick(base, 'db')).toMatchObject({ vars: { POSTGRES_DB: 'guestbook' }, secrets: { POSTGRES_PASSWORD: 1 } });
  });

  it.each([
    ['nothing', 'web', {}, []],
    ['a version', 'db', { version: '18' }, ['version 17 → 18']],
    ['a var', 'db', { vars: { POSTGRES_DB: 'other' } }, ['vars POSTGRES_DB changed']],
    ['an environment', 'web', { env: { DATABASE_URL: '${db.POSTGRES_URL}', NEW: '1' } }, ['env NEW added']],
    ['a source', 'web', { source: { path: '.', digest: `sha256-${'b'.repeat(64)}` } }, ['source changed']],
    ['a listen port', 'web', { listen: { http: 8080 } }, ['listen http added']],
  ])('say what differs: %s', (_what, name, change, reasons) => {
    expect(differences(pick(base, name), pick(resolve(with_(name, change)), name))).toEqual(reasons);
  });

  const set = (component: string, name: string, value: string | null, version = 1): SetVariable => ({
    ...{ component, name, version, value },
    kind: value === null ? 'secret' : value.startsWith('vault:') ? 'reference' : 'plain',
  });

  it('take a variable of the component over one of the project over hithe.yaml', () => {
    const spec = with_('web', { env: { A: 'file', B: 'file', C: 'file' } });
    const web = pick(resolve(spec, [set('', 'A', 'project'), set('', 'B', 'project'), set('web', 'A', 'component')]), 'web');
    expect(web.env).toEqual({ A: 'component', B: 'project', C: 'file' });
    expect(web.variables).toEqual({
      A: { origin: 'component', kind: 'plain', as: 'env', version: 1 },
      B: { origin: 'project', kind: 'plain', as: 'env', version: 1 },
    });
  });

  it('keep a secret out of the environment that is stored, whatever hithe.yaml says of the name', () => {
    const web = pick(resolve(with_('web', { env: { KEY: 'of the file' } }), [set('', 'KEY', null, 3)]), 'web');
    expect(web.env).toEqual({});
    expect(web.variables).toEqual({ KEY: { origin: 'project', kind: 'secret', as: 'env', version: 3 } });
  });

  it('give the variables of a project to apps, and to a database only its own', () => {
    const all = resolve(guestbook(), [set('', 'LEVEL', 'debug'), set('db', 'POSTGRES_PASSWORD', null, 2), set('db', 'TZ', 'UTC')]);
    expect(pick(all, 'db').env).toEqual({ TZ: 'UTC' });
    expect(pick(all, 'db')).toMatchObject({ secrets: {}, variables: { POSTGRES_PASSWORD: { as: 'var', version: 2 } } });
    expect(pick(all, 'cache').variables).toBeUndefined();
    expect(pick(all, 'web').env).toMatchObject({ LEVEL: 'debug' });
  });

  it('pin the copy of what an address names, in hithe.yaml and in a variable', () => {
    const spec = with_('db', { vars: { POSTGRES_PASSWORD: { from: 'vault:kv/hithe/acme/db#password' } } });
    const all = resolve(spec, [set('web', 'KEY', 'vault:kv/hithe/acme/web#key')], 4);
    expect(pick(all, 'db').variables).toEqual({
      POSTGRES_PASSWORD: { origin: 'file', kind: 'reference', as: 'var', reference: 'vault:kv/hithe/acme/db#password', copy: 4 },
    });
    expect(pick(all, 'web').variables).toMatchObject({ KEY: { origin: 'component', kind: 'reference', copy: 4 } });
    expect(differences(pick(resolve(spec, [], 4), 'db'), pick(resolve(spec, [], 5), 'db'))).toEqual(['secret POSTGRES_PASSWORD changed']);
  });

  it('differ by the versions of secrets, and not by a new version of the same plain text', () => {
    const web = (variable: SetVariable) => pick(resolve(guestbook(), [variable]), 'web');
    expect(differences(web(set('', 'KEY', null, 1)), web(set('', 'KEY', null, 2)))).toEqual(['variable KEY changed']);
    expect(differences(web(set('', 'KEY', 'same', 1)), web(set('', 'KEY', 'same', 3)))).toEqual([]);
    expect(differences(web(set('', 'KEY', null)), pick(base, 'web'))).toEqual(['variable KEY removed']);
    const db = (version: number) => pick(resolve(guestbook(), [set('db', 'POSTGRES_PASSWORD', null, version)]), 'db');
    expect(exportsMayChange(db(1), db(2))).toBe(true);
  });

  it('fetch a moving git reference anew, and a commit never', () => {
    const of = (ref: string) => pick(resolve(with_('web', { source: { git: 'https://example.com/a.git', ref } })), 'web');
    expect(differences(of('main'), of('main'))).toEqual(['source: main is fetched anew']);
    expect(differences(of('c'.repeat(40)), of('c'.repeat(40)))).toEqual([]);
  });

  it('know whose values they read', () => {
    expect(readsFrom(pick(base, 'web'), 'db')).toBe(true);
    expect(readsFrom(pick(base, 'web'), 'cache')).toBe(false);
    expect(exportsMayChange(pick(base, 'db'), pick(resolve(with_('db', { vars: {} })), 'db'))).toBe(true);
    expect(exportsMayChange(pick(base, 'db'), pick(resolve(with_('db', { version: '18' })), 'db'))).toBe(false);
  });
});

describe('the limits of a project file', () => {
  const parse = (component: object, count = 1) =>
    parseProjectSpec({
      name: 'shop',
      components: Object.fromEntries(Array.from({ length: count }, (_, index) => [`c${index}`, component])),
    });

  it('are a second between health checks, no NUL, and 200 components', () => {
    expect(parse({ port: 'valkey', health: { interval: 1 } }).ok).toBe(true);
    expect(parse({ port: 'valkey', health: { interval: 1e-9 } }).ok).toBe(false);
    expect(parse({ port: 'valkey', env: { A: 'a\0b' } }).ok).toBe(false);
    expect(parse({ port: 'valkey' }, 200).ok).toBe(true);
    expect(parse({ port: 'valkey' }, 201).ok).toBe(false);
  });
});
