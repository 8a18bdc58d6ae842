import { readFileSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';

export interface BuildEnvironment {
  env: Record<string, string>;
  /** Files that the sandbox makes, path → content. */
  files: Record<string, string>;
}

/**
 * What of the operator's environment build scripts see (`HITHE_BUILD_ENV`): `NAME` passes the agent's own value, `NAME=VALUE` sets one.
 * A value that names a file, such as a CA bundle, is shown with its content at a path inside the sandbox.
 */
export function buildEnvironment(entries: readonly string[], environment: Readonly<Record<string, string | undefined>>): BuildEnvironment {
  const env: Record<string, string> = {};
  const files: Record<string, string> = {};
  for (const entry of entries) {
    const at = entry.indexOf('=');
    const name = at === -1 ? entry : entry.slice(0, at);
    const value = at === -1 ? environment[name] : entry.slice(at + 1);
    if (value === undefined || value === '') continue;
    if (isAbsolute(value) && statSync(value, { throwIfNoEntry: false })?.isFile() === true) {
      const target = `/etc/hithe-build/${name}`;
      files[target] = readFileSync(value, 'utf8');
      env[name] = target;
    } else {
      env[name] = value;
    }
  }
  return { env, files };
}
