import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The repository's root. */
export const ROOT = join(import.meta.dirname, '../../..');
export const PORTS_DIRECTORY = join(ROOT, 'ports');

/** Names of the bundled ports. */
export const portNames = readdirSync(PORTS_DIRECTORY, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !entry.name.startsWith('_') && entry.name !== 'overlays')
  .map((entry) => entry.name);

/** Every shell script of the ports and of their library, relative to `ports/`. */
export const shellScripts = readdirSync(PORTS_DIRECTORY, { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('.sh'))
  .sort();

/** A file of a port, relative to `ports/`. */
export function readPortFile(path: string): string {
  return readFileSync(join(PORTS_DIRECTORY, path), 'utf8');
}
