import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** SHA-256 over names and contents of files and, recursively, directories. What does not exist counts as empty. */
export async function digestOf(root, paths) {
  const digest = createHash('sha256');
  for (const path of paths) {
    for (const file of await filesOf(root, path)) {
      digest
        .update(`${file}\0`)
        .update(await readFile(join(root, file)))
        .update('\0');
    }
  }
  return digest.digest('hex');
}

// Neither what is generated nor tests change what runs.
const GENERATED = new Set(['node_modules', 'dist']);

async function filesOf(root, path) {
  const entries = await readdir(join(root, path), { withFileTypes: true }).catch((error) => {
    if (error.code === 'ENOTDIR') return undefined;
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (entries === undefined) return [path];
  const kept = entries.filter(({ name }) => !GENERATED.has(name) && !name.endsWith('.spec.ts'));
  const nested = await Promise.all(kept.map(({ name }) => filesOf(root, `${path}/${name}`)));
  return nested.flat().sort();
}
