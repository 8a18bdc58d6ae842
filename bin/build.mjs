// `npm run build`: compiles the platform and the command line tool when a source changed.
import { fileURLToPath } from 'node:url';
import { Installation } from './lib/installation.mjs';
import { Progress } from './lib/progress.mjs';

const progress = new Progress();
const installation = new Installation(fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, ''));
progress
  .step('Build', (say) => installation.ensureBuild(say))
  .catch((error) => {
    progress.fail(error);
    process.exitCode = 1;
  });
