import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DomainError } from '../../../common/domain-error.js';
import { PortCatalogue } from './port-catalogue.js';
import { filesDigest, portFiles } from './port-files.js';

let base = '';
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'catalogue-'));
});
afterEach(() => rm(base, { recursive: true, force: true }));

async function put(path: string, content: unknown): Promise<void> {
  const file = join(base, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
}

function manifest(name: string, hithe: Record<string, unknown> = {}): Record<string, unknown> {
  return { name, title: name, description: `The port ${name}`, category: 'test', hithe: { kind: 'toolchain', ...hithe } };
}

const debian = { debian: { suite: 'trixie', packages: ['dash'] } };

function failure(act: () => unknown): DomainError {
  try {
    act();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('PortCatalogue', () => {
  it('reads ports, and neither underscored directories nor overlays', async () => {
    await put('ports/lang/manifest.json', manifest('lang', { closures: { '9': debian, '10': debian } }));
    await put('ports/_lib/hithe.sh', 'log() { :; }');
    await put('ports/overlays/other/manifest.json', {});
    const catalogue = await PortCatalogue.load([join(base, 'ports')]);
    expect(catalogue.faults).toEqual([]);
    expect(catalogue.list().map((port) => port.name)).toEqual(['lang']);
    expect(catalogue.get('lang').versions).toEqual(['10', '9']);
    expect(catalogue.validateVars('lang', { X: 1 }).faults).toMatchObject([{ path: 'vars.X', code: 'VAR_UNKNOWN' }]);
  });

  it('resolves versions, and lists what there is when it cannot', async () => {
    await put('ports/lang/manifest.json', manifest('lang', { closures: { '3.2': debian, '10': debian } }));
    const catalogue = await PortCatalogue.load([join(base, 'ports')]);
    expect(catalogue.resolveVersion('lang')).toBe('10');
    expect(catalogue.resolveVersion('lang', '3')).toBe('3.2');
    expect(failure(() => catalogue.resolveVersion('lang', '11'))).toMatchObject({
      kind: 'invalid',
      code: 'PORT_VERSION_UNKNOWN',
      fix: 'Use one of: 10, 3.2.',
    });
    expect(failure(() => catalogue.get('lung'))).toMatchObject({ code: 'PORT_UNKNOWN', fix: 'Use one of: lang.' });
  });

  it('gives a port without closures the versions of the port that it runs on', async () => {
    await put('ports/lang/manifest.json', manifest('lang', { closures: { '20': debian, '22': debian } }));
    await put('ports/lang-app/manifest.json', manifest('lang-app', { requires: { lang: '$VERSION' } }));
    await put('ports/site/manifest.json', manifest('site', { requires: { lang: '22' } }));
    const catalogue = await PortCatalogue.load([join(base, 'ports')]);
    expect(catalogue.get('lang-app').versions).toEqual(['22', '20']);
    expect(catalogue.get('site').versions).toEqual(['22']);
    const source = catalogue.installSource('lang-app', '20');
    expect(source.closure.debian?.packages).toEqual(['dash']);
    expect(source.chain.map((use) => `${use.port.name} ${use.version}`)).toEqual(['lang 20', 'lang-app 20']);
  });

  it('collects the faults of bad ports and goes on with the good ones', async () => {
    await put('ports/good/manifest.json', manifest('good', { closures: { '1': debian } }));
    await put('ports/torn/manifest.json', '{"name": ');
    await put('ports/empty/README.md', 'nothing');
    await put('ports/wrong/manifest.json', manifest('right'));
    await put('ports/typo/manifest.json', manifest('typo', { clojures: {} }));
    await put('ports/schema/manifest.json', manifest('schema'));
    await put('ports/schema/vars.schema.json', { type: 'object', properties: { A: { type: 'strnig' } } });
    await put('ports/silent/manifest.json', manifest('silent', { kind: 'service', closures: { '1': debian } }));
    await put('ports/lost/manifest.json', manifest('lost', { requires: { nothing: '1' } }));
    const catalogue = await PortCatalogue.load([join(base, 'ports'), join(base, 'absent')]);
    const codes = Object.fromEntries(catalogue.faults.map((fault) => [`${fault.port} ${fault.path}`, fault.code]));
    expect(codes).toEqual({
      'torn manifest.json': 'PORT_JSON_INVALID',
      'empty manifest.json': 'PORT_MANIFEST_MISSING',
      'wrong manifest.json:name': 'PORT_NAME_MISMATCH',
      'typo manifest.json:hithe': 'PORT_MANIFEST_INVALID',
      'schema vars.schema.json': 'PORT_SCHEMA_INVALID',
      'silent start.sh': 'PORT_SCRIPT_MISSING',
      'silent test.sh': 'PORT_SCRIPT_MISSING',
      'lost manifest.json:hithe.requires.nothing': 'PORT_REQUIRES_UNKNOWN',
      'absent ': 'PORTS_DIRECTORY_MISSING',
    });
    expect(catalogue.list().map((port) => port.name)).toEqual(['good', 'lost', 'silent']);
    expect(failure(() => catalogue.get('torn'))).toMatchObject({ code: 'PORT_INVALID' });
    expect(failure(() => catalogue.installSource('lost', '1'))).toMatchObject({ code: 'PORT_NOT_INSTALLABLE' });
  });

  it('reads a libscript checkout, with overlays', async () => {
    await put('ports/db/manifest.json', manifest('db', { closures: { '1': debian } }));
    await put('ports/overlays/cache/manifest.json', { hithe: { kind: 'service', closures: { '7': debian } } });
    await put('ports/overlays/cache/start.sh', 'exec ours');
    await put('libscript/_lib/_common/manifest.json', {});
    await put('libscript/_lib/databases/db/manifest.json', { name: 'db', title: 'Db', description: '', category: 'databases' });
    await put('libscript/_lib/caches/cache/manifest.json', {
      name: 'cache',
      title: 'Cache',
      description: '',
      category: 'caches',
      ports: [1],
    });
    await put('libscript/_lib/caches/cache/start.sh', 'exec theirs');
    await put('libscript/_lib/caches/cache/test.sh', 'true');
    await put('libscript/stacks/cms/blog/manifest.json', { name: 'blog', title: 'Blog', description: '', category: 'cms' });
    const catalogue = await PortCatalogue.load([join(base, 'ports'), join(base, 'libscript')]);
    expect(catalogue.list().map((port) => `${port.name} ${port.origin}`)).toEqual(['blog libscript', 'cache libscript', 'db bundled']);
    expect(catalogue.faults).toMatchObject([{ port: 'db', code: 'PORT_DUPLICATE' }]);
    expect(failure(() => catalogue.resolveVersion('blog'))).toMatchObject({ code: 'PORT_NOT_INSTALLABLE' });
    expect(catalogue.get('cache').versions).toEqual(['7']);
    const files = await portFiles(catalogue.get('cache'));
    expect(files.map((file) => file.path)).toEqual(['manifest.json', 'start.sh', 'test.sh']);
    expect(files.find((file) => file.path === 'start.sh')?.source).toContain('overlays');
    expect(files.find((file) => file.path === 'manifest.json')?.text).toContain('"closures"');
  });
});

describe('filesDigest', () => {
  it('changes with what runs, not with tests and documentation', async () => {
    await put('ports/lang/manifest.json', manifest('lang'));
    await put('ports/lang/start.sh', 'exec one');
    const digest = async (): Promise<string> => filesDigest(await portFiles((await PortCatalogue.load([join(base, 'ports')])).get('lang')));
    const before = await digest();
    await put('ports/lang/README.md', 'words');
    await put('ports/lang/test/lang.bats', 'tests');
    expect(await digest()).toBe(before);
    await put('ports/lang/start.sh', 'exec two');
    expect(await digest()).not.toBe(before);
  });
});
