import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

export const ROOT = join(import.meta.dirname, '../../..');
export const FIXTURE_PORTS = join(ROOT, 'test/runner/fixtures/ports');

/** Bundles the agent's sources as they are now; gives the path below the root. Two levels deep, as `dist/src/agent.js` is. */
export async function bundleAgent(): Promise<string> {
  const relative = `dist/test/agent-${process.pid}.mjs`;
  mkdirSync(join(ROOT, 'dist/test'), { recursive: true });
  await build({
    entryPoints: [join(ROOT, 'src/agent.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    sourcemap: 'inline',
    outfile: join(ROOT, relative),
    tsconfig: join(ROOT, 'tsconfig.json'),
    logLevel: 'error',
  });
  return relative;
}
