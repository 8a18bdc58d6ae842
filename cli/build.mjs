// Bundles the CLI into cli/dist/main.cjs. CommonJS, because importing node:http as an ES module loads undici with it.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const { version } = JSON.parse(await readFile(join(here, 'package.json'), 'utf8'));

await build({
  entryPoints: [join(here, 'src/main.ts')],
  outfile: join(here, 'dist/main.cjs'),
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  define: { HITHE_CLI_VERSION: JSON.stringify(version) },
  inject: [join(here, 'src/http/fetch-globals.ts')],
  logLevel: 'warning',
});
