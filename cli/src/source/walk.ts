import { lstat, readdir, readlink } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { usageError } from '../cli-error.js';
import { IgnoreRules } from './ignore-rules.js';

/** A file or link of a source, by its path inside the source, with slashes. */
export interface SourceFile {
  path: string;
  size: number;
}

export interface SourceLimits {
  maxFiles: number;
  maxBytes: number;
}

export const SOURCE_LIMITS: SourceLimits = { maxFiles: 50_000, maxBytes: 512 * 1024 * 1024 };

/**
 * The files of a source directory that are uploaded: everything but `.git` and what .gitignore files exclude, sorted.
 * Refuses links that leave the directory, and sources beyond the limits.
 */
export async function walkSource(root: string, shown: string, limits: SourceLimits = SOURCE_LIMITS): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  await walkDirectory(root, await IgnoreRules.at(root), root, files, limits);
  const total = files.reduce((sum, file) => sum + file.size, 0);
  if (total > limits.maxBytes)
    throw tooLarge(shown, files, `has ${megabytes(total)}, more than the ${megabytes(limits.maxBytes)} that an upload may have`);
  if (files.length > limits.maxFiles) throw tooLarge(shown, files, `has more than the ${limits.maxFiles} files that an upload may have`);
  if (files.length === 0)
    throw usageError(`The source ${shown} has no files.`, {
      code: 'SOURCE_EMPTY',
      fix: 'Check `source.path` in hithe.yaml, and that .gitignore does not exclude everything.',
    });
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function walkDirectory(
  directory: string,
  rules: IgnoreRules,
  root: string,
  files: SourceFile[],
  limits: SourceLimits,
): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.name === '.git' || rules.ignores(path, entry.isDirectory())) continue;
    if (entry.isDirectory()) {
      await walkDirectory(path, await rules.within(path), root, files, limits);
    } else if (entry.isFile() || entry.isSymbolicLink()) {
      if (entry.isSymbolicLink()) await refuseEscape(path, root);
      files.push({ path: relative(root, path).split(sep).join('/'), size: (await lstat(path)).size });
    } else {
      throw usageError(`${relative(root, path)} is neither a file nor a directory; it cannot be uploaded.`, {
        code: 'SOURCE_INVALID',
        fix: 'Remove it, or name it in .gitignore.',
      });
    }
    if (files.length > limits.maxFiles) return;
  }
}

async function refuseEscape(path: string, root: string): Promise<void> {
  const target = await readlink(path);
  const inside = relative(root, resolve(join(path, '..'), target));
  if (target.startsWith('/') || inside === '..' || inside.startsWith(`..${sep}`)) {
    throw usageError(`${relative(root, path)} is a link to ${target}, which is outside of the source.`, {
      code: 'SOURCE_LINK_OUTSIDE',
      fix: 'Copy what it points to into the source, or name the link in .gitignore.',
    });
  }
}

function tooLarge(shown: string, files: readonly SourceFile[], how: string): Error {
  const sizes = new Map<string, number>();
  for (const { path, size } of files) {
    const top = path.split('/', 1)[0] ?? path;
    sizes.set(top, (sizes.get(top) ?? 0) + size);
  }
  const largest = [...sizes].sort(([, a], [, b]) => b - a).slice(0, 3);
  return usageError(`The source ${shown} ${how}; largest: ${largest.map(([name, size]) => `${name} (${megabytes(size)})`).join(', ')}.`, {
    code: 'SOURCE_TOO_LARGE',
    fix: `Name what the app does not need in .gitignore, e.g.: echo '/${largest[0]?.[0] ?? 'node_modules'}' >> .gitignore`,
  });
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
