import { type FSWatcher, watch } from 'node:fs';

/** The kernel's watches are a limited resource, and a path may be gone: callers sweep as well, so without a watch they are only slower. */
export function watchPath(path: string, onChange: () => void): FSWatcher | undefined {
  try {
    return watch(path, { persistent: false }, onChange).on('error', onChange);
  } catch (error) {
    if (['ENOSPC', 'EMFILE', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
