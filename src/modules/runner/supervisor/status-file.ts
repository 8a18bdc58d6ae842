import { readFileSync } from 'node:fs';
import { z } from 'zod';

const recordSchema = z.object({
  'child-pid': z.int().optional(),
  'pid-namespace': z.int().optional(),
  'exit-code': z.int().optional(),
});

/** What bubblewrap wrote about one sandbox so far. */
export interface SandboxStatus {
  sandboxPid?: number;
  pidNamespace?: number;
  /** Shell style: 128 + n for signal n. */
  exitCode?: number;
}

/** Reads a status file; a record that is still being written counts as not there. */
export function readStatus(path: string): SandboxStatus {
  const status: SandboxStatus = {};
  for (const line of contentOf(path).split('\n').slice(0, -1)) {
    const record = recordSchema.parse(JSON.parse(line));
    if (record['child-pid'] !== undefined) status.sandboxPid = record['child-pid'];
    if (record['pid-namespace'] !== undefined) status.pidNamespace = record['pid-namespace'];
    if (record['exit-code'] !== undefined) status.exitCode = record['exit-code'];
  }
  return status;
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
