import { stat } from 'node:fs/promises';
import { filesBelow, filesDigest, portFiles, type PortFile } from '../../ports/catalogue/port-files.js';
import type { PortCatalogue } from '../../ports/catalogue/port-catalogue.js';
import type { ClosureDeclaration } from '../../ports/domain/manifest.js';
import { closureDigest } from './closure-builder.js';
import type { Platform } from './sources/closure-source.js';
import { digestOf, STORE_FORMAT } from './store-digest.js';

/** One `setup.sh` that the install runs. */
export interface PlannedSetup {
  port: string;
  network: boolean;
}

/** Everything that an install is made of, known without network, and the digests that name it. */
export interface InstallPlan {
  port: string;
  version: string;
  digest: string;
  closure: ClosureDeclaration;
  closureDigest: string;
  /** Directory below the scripts' root (`postgres`, `_lib`) → files. */
  scripts: Map<string, PortFile[]>;
  setups: PlannedSetup[];
  buildVars: Record<string, string>;
}

/**
 * Plans an install. The digest stands for the scripts of the port, of those that it runs on and of `_lib`, the version,
 * the closure's declaration, the platform, and the vars that the manifests name as `buildVars`.
 */
export async function planInstall(
  catalogue: PortCatalogue,
  port: string,
  version: string,
  vars: Readonly<Record<string, string>>,
  platform: Platform,
): Promise<InstallPlan> {
  const { closure, chain } = catalogue.installSource(port, version);
  const scripts = new Map<string, PortFile[]>();
  const setups: PlannedSetup[] = [];
  const buildVars: Record<string, string> = {};
  for (const use of chain) {
    const { hithe } = use.port.manifest;
    scripts.set(use.port.name, await portFiles(use.port));
    if (hithe.scope === 'shared' && use.port.scripts.includes('setup.sh'))
      setups.push({ port: use.port.name, network: hithe.network.setup });
    for (const name of hithe.buildVars) {
      const value = vars[name];
      if (value !== undefined) buildVars[name] = value;
    }
    if (!scripts.has('_lib') && (await isDirectory(use.port.libDir))) scripts.set('_lib', await filesBelow(use.port.libDir));
  }
  const digests: Record<string, string> = {};
  for (const [name, files] of scripts) digests[name] = await filesDigest(files);
  const closureName = closureDigest(closure, platform);
  const versions = chain.map((use) => [use.port.name, use.version]);
  const digest = digestOf({
    format: STORE_FORMAT,
    versions,
    closure: closureName,
    scripts: digests,
    platform: platform.node,
    setups,
    buildVars,
  });
  return { port, version: chain.at(-1)?.version ?? version, digest, closure, closureDigest: closureName, scripts, setups, buildVars };
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
