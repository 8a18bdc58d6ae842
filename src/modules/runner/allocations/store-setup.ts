import { closeSync } from 'node:fs';
import { openDirectory } from '../sandbox/descriptors.js';
import type { Identity, Sandbox } from '../sandbox/sandbox.types.js';
import type { RunSetup } from '../store/store.types.js';
import { DomainError } from '../../../common/domain-error.js';
import type { BuildEnvironment } from './build-environment.js';
import { PORTS_TARGET, PREFIX_TARGET } from './environment.js';
import { libraryCommand, requireSuccess } from './port-scripts.js';
import { StepFailed } from './allocation.types.js';

const SETUP_TIMEOUT_MS = 30 * 60_000;

/** Runs a port's `setup.sh` for the store: as the store's uid, on the closure, with nothing writable but the prefix. */
export function setupInSandbox(sandbox: Sandbox, build: BuildEnvironment): RunSetup {
  return async ({ entry, port, owner, vars, network, onOutput, signal }) => {
    const identity: Identity = owner ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const prefix = openDirectory(entry.prefix);
    try {
      const env = {
        PATH: `${PREFIX_TARGET}/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
        LANG: 'C.UTF-8',
        TMPDIR: '/tmp',
        HOME: '/tmp',
        LIBSCRIPT_ROOT_DIR: PORTS_TARGET,
        HERMETIC_BUILD: '1',
        PREFIX: PREFIX_TARGET,
        [`${port.toUpperCase().replaceAll('-', '_')}_VERSION`]: entry.version,
        ...vars,
        ...build.env,
      };
      const spec = {
        identity,
        hostname: 'setup',
        system: { kind: 'closure', root: entry.root } as const,
        readOnly: [{ source: entry.scriptsDir, target: PORTS_TARGET }],
        directories: [{ fd: prefix, target: PREFIX_TARGET, writable: true }],
        files: build.files,
        env,
        network,
        command: libraryCommand('run.sh', `${port}/setup.sh`),
      };
      requireSuccess('setup', 'setup.sh', await sandbox.run(spec, { timeoutMs: SETUP_TIMEOUT_MS, onLine: onOutput, signal }));
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error;
      throw new DomainError('internal', 'SETUP_FAILED', error.message, { details: { ...error.failure }, cause: error });
    } finally {
      closeSync(prefix);
    }
  };
}
