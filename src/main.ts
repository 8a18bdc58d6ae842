import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { DomainError } from './common/domain-error.js';
import { fail } from './common/fail.js';
import { loadConfig } from './config/config.js';
import { isRoot } from './config/home.js';
import { createApplication } from './http/application.js';

/** Longer than the job queue takes to let running jobs end. */
const LONGEST_SHUTDOWN_MS = 15_000;

/** Entry of the control plane. Reads its configuration, serves until SIGTERM or SIGINT, and then ends in order. */
async function main(): Promise<void> {
  const config = loadConfig();
  if (isRoot() && !config.allowRoot) {
    throw new DomainError('forbidden', 'RUNS_AS_ROOT', 'The control plane does not run as root.', {
      fix: "Start it with 'npm start', which gives it a uid of its own.",
    });
  }
  const app = await createApplication(config);
  app.enableShutdownHooks(['SIGTERM', 'SIGINT']);
  endAtTheLatest();
  if (!config.has('api')) return;
  await app.listen(config.httpPort, config.httpAddress);
  new Logger('ControlPlane').log(`Listening on ${await app.getUrl()}`);
}

/** A request that never ends must not keep the process for ever; whatever was in progress resumes at the next start. */
function endAtTheLatest(): void {
  const end = (): void => {
    setTimeout(() => process.exit(1), LONGEST_SHUTDOWN_MS).unref();
  };
  process.once('SIGTERM', end).once('SIGINT', end);
}

main().catch(fail);
