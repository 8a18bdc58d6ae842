import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The `ports/` directory beside the nearest package.json above this file: of the source tree, or of what was built from it. */
export function bundledPortsDirectory(from = import.meta.dirname): string {
  for (let directory = from; ; directory = dirname(directory)) {
    if (existsSync(join(directory, 'package.json')) && existsSync(join(directory, 'ports'))) return join(directory, 'ports');
    if (directory === dirname(directory)) throw new Error(`No ports/ directory was found above ${from}`);
  }
}
