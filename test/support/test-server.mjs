import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { ensureSystemUser } from '../../bin/lib/system-users.mjs';

const root = join(import.meta.dirname, '../..');

/** The PostgreSQL of a test run, in `directory`. Compiles the class under test itself, so that tests need no build before. */
export async function testServer(directory) {
  const { EmbeddedPostgres } = await compiled('src/database/embedded-postgres/embedded-postgres.ts');
  const user = process.geteuid() === 0 ? await ensureSystemUser('hithe-pg') : undefined;
  return new EmbeddedPostgres({
    directories: {
      root: directory,
      server: join(directory, 'server'),
      data: join(directory, 'data'),
      run: join(directory, 'run'),
    },
    logFile: join(directory, 'postgres.log'),
    user,
    durable: false,
  });
}

async function compiled(source) {
  const outdir = join(root, 'node_modules/.cache/hithe-test');
  await mkdir(outdir, { recursive: true });
  const outfile = join(outdir, `embedded-postgres-${process.pid}.mjs`);
  await build({
    entryPoints: [join(root, source)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  return import(pathToFileURL(outfile).href);
}
