import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PortCatalogue } from '../../ports/catalogue/port-catalogue.js';
import { closureSchema } from '../../ports/domain/manifest.js';
import { closureDigest } from './closure-builder.js';
import { planInstall, type InstallPlan } from './install-plan.js';
import { platformOf } from './sources/closure-source.js';

let base = '';
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'plan-'));
  await put('_lib/hithe.sh', 'log() { :; }');
  await putPort('lang', { closures: { '1': closure, '2': { npm: { x: '1' } } }, buildVars: ['FLAVOUR'] });
  await put('lang/setup.sh', 'true');
  await putPort('lang-app', { requires: { lang: '$VERSION' } });
});
afterEach(() => rm(base, { recursive: true, force: true }));

const closure = { debian: { suite: 'trixie', packages: ['dash'] } };

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(base, path)), { recursive: true });
  await writeFile(join(base, path), text);
}
function putPort(name: string, hithe: Record<string, unknown>): Promise<void> {
  return put(
    `${name}/manifest.json`,
    JSON.stringify({ name, title: name, description: '', category: 'x', hithe: { kind: 'toolchain', ...hithe } }),
  );
}
async function plan(port: string, version: string, vars: Record<string, string> = {}, arch = 'x64'): Promise<InstallPlan> {
  return planInstall(await PortCatalogue.load([base]), port, version, vars, platformOf(arch));
}

describe('planInstall', () => {
  it('names the same install the same, wherever the ports lie', async () => {
    const first = await plan('lang', '1');
    const moved = join(base, '_moved');
    await cp(join(base, 'lang'), join(moved, 'lang'), { recursive: true });
    await cp(join(base, '_lib'), join(moved, '_lib'), { recursive: true });
    const second = await planInstall(await PortCatalogue.load([moved]), 'lang', '1', { OTHER: 'var' }, platformOf('x64'));
    expect(second.digest).toBe(first.digest);
    expect(first.digest).toMatch(/^sha256-[0-9a-f]{64}$/);
  });

  it('names another version, platform, build var or script otherwise', async () => {
    const digests = [
      (await plan('lang', '1')).digest,
      (await plan('lang', '2')).digest,
      (await plan('lang', '1', {}, 'arm64')).digest,
      (await plan('lang', '1', { FLAVOUR: 'sweet' })).digest,
    ];
    await put('lang/setup.sh', 'false');
    digests.push((await plan('lang', '1')).digest);
    await put('_lib/hithe.sh', 'log() { true; }');
    digests.push((await plan('lang', '1')).digest);
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('keeps the name of a closure when what is empty comes or goes', () => {
    const written = closureSchema.parse({ ...closure, exclude: [], links: {} });
    expect(closureDigest({ ...written, npm: {} }, platformOf('x64'))).toBe(closureDigest(written, platformOf('x64')));
    expect(closureDigest({ ...written, exclude: ['usr/share'] }, platformOf('x64'))).not.toBe(closureDigest(written, platformOf('x64')));
  });

  it('shares the closure between versions of scripts and with the ports on top', async () => {
    const before = await plan('lang', '1');
    await put('lang/setup.sh', 'false');
    expect((await plan('lang', '1')).closureDigest).toBe(before.closureDigest);
    const app = await plan('lang-app', '1');
    expect(app.closureDigest).toBe(before.closureDigest);
    expect([...app.scripts.keys()].sort()).toEqual(['_lib', 'lang', 'lang-app']);
    expect(app.setups).toEqual([{ port: 'lang', network: false }]);
  });

  it('is another install when the scripts below it change', async () => {
    const before = await plan('lang-app', '1');
    await put('lang/env.sh', 'A=1');
    expect((await plan('lang-app', '1')).digest).not.toBe(before.digest);
  });
});
