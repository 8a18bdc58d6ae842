#!/usr/bin/env node
// `npm test`: from a bare machine through every gate and every suite. `npm test -- unit http` runs suites alone, and
// `npm test -- unit teams` those of their files whose path contains "teams". Needs Node.js 20 or later and nothing else.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from './lib/failure.mjs';
import { ensureHostPackages, ensureNamespaces } from './lib/host-packages.mjs';
import { Installation } from './lib/installation.mjs';
import { assertNodeVersion } from './lib/options.mjs';
import { Progress } from './lib/progress.mjs';

const SUITES = ['unit', 'http', 'integration', 'runner', 'ports', 'e2e'];
const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

async function main(progress) {
  assertNodeVersion();
  process.umask(0o022);
  const args = process.argv.slice(2);
  const installation = new Installation(root);
  await progress.step('Host packages', (say) => ensureHostPackages(say, { forTests: true }));
  await progress.step('Sandbox support of the kernel', () => ensureNamespaces());
  await progress.step('Dependencies', (say) => installation.ensureDependencies(say));
  await progress.step('Build', (say) => installation.ensureBuild(say));
  const gates = args.length > 0 || (await passes('bin/with-node', ['node', 'bin/check.mjs']));
  const tests = await passes('bin/jest', jestArguments(args));
  if (!gates) console.error('\nA gate failed, see above the tests: npm run check');
  return gates && tests;
}

function jestArguments(args) {
  const suites = args.filter((arg) => SUITES.includes(arg));
  const results = process.env.HITHE_TEST_RESULTS ? ['--json', `--outputFile=${process.env.HITHE_TEST_RESULTS}`] : [];
  return [...results, ...(suites.length > 0 ? ['--selectProjects', ...suites, '--'] : []), ...args.filter((arg) => !SUITES.includes(arg))];
}

/** Runs a program of the clone with this terminal; whether it ended with exit code 0. */
function passes(program, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(join(root, program), args, { cwd: root, stdio: 'inherit' });
    child.once('error', reject);
    child.once('close', (code) => resolve(code === 0));
  });
}

const progress = new Progress();
main(progress).then(
  (passed) => process.exit(passed ? 0 : 1),
  (error) => {
    progress.fail(error);
    process.exit(error instanceof Failure ? 1 : 70);
  },
);
