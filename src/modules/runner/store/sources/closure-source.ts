import type { ClosurePackage, StoreOwner } from '../store.types.js';

/** What a part of a closure is built with. */
export interface SourceContext {
  owner: StoreOwner;
  signal: AbortSignal | undefined;
  /** Receives lines for people. */
  progress: (line: string) => void;
  /** Proxies and the like for tools that reach the network. */
  networkEnv: Record<string, string>;
}

/** Architecture names of this machine. */
export interface Platform {
  /** As Node.js says it: `x64`. */
  node: string;
  /** As Debian says it: `amd64`. */
  debian: string;
}

const DEBIAN_ARCHITECTURES: Record<string, string> = { x64: 'amd64', arm64: 'arm64' };

/** This machine's platform, or another one's for tests. */
export function platformOf(arch: string = process.arch): Platform {
  return { node: arch, debian: DEBIAN_ARCHITECTURES[arch] ?? arch };
}

/** A verified file in the download cache that belongs to a closure. */
export interface FetchedPackage extends ClosurePackage {
  file: string;
}

/** Megabytes for people, one decimal below ten. */
export function megabytes(bytes: number): string {
  const value = bytes / 1e6;
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} MB`;
}

/** How long a resolution (package lists, npm versions) is used before the network is asked again. */
export const RESOLUTION_MAX_AGE_MS = 12 * 3600 * 1000;

/** Whether a name matches any of the globs (`*` stands for anything). */
export function globMatcher(globs: readonly string[]): (name: string) => boolean {
  const patterns = globs.map(
    (glob) =>
      new RegExp(
        `^${glob
          .split('*')
          .map((part) => part.replaceAll(/[^a-zA-Z0-9]/g, '\\$&'))
          .join('.*')}$`,
      ),
  );
  return (name) => patterns.some((pattern) => pattern.test(name));
}
