#!/usr/bin/env node
// `npm start`: from a bare machine to a running Hithe. Needs Node.js 20 or later and nothing else.
import { fileURLToPath } from 'node:url';
import { Failure } from './lib/failure.mjs';
import { Installation } from './lib/installation.mjs';
import { interrupt } from './lib/interruption.mjs';
import { Launcher } from './lib/launcher.mjs';
import { assertNodeVersion, HELP, parseOptions, settings } from './lib/options.mjs';
import { Progress } from './lib/progress.mjs';
import { Signals } from './lib/signals.mjs';
import { summary } from './lib/summary.mjs';

async function main(progress, signals) {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  assertNodeVersion();
  process.umask(0o022);
  const installation = new Installation(fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, ''));
  const launcher = new Launcher({ installation, progress, settings: settings() });
  const request = signals.requested();
  const started = launcher.start();
  // A start that is interrupted or fails must not leave half of a platform behind.
  let asked = await Promise.race([started.then(() => undefined), request]).catch((error) => ({ components: false, error }));
  if (asked === undefined) {
    launcher.supervise();
    const example = options.example ? launcher.deployExample() : Promise.resolve();
    asked = await Promise.race([example.then(() => undefined), request]);
    if (asked === undefined) progress.print(await summary(launcher));
  }
  asked ??= await request;
  interrupt();
  await started.catch(() => undefined);
  progress.print();
  await launcher.stop({ components: asked.components });
  if (asked.error) throw asked.error;
}

const progress = new Progress();
const signals = new Signals(progress);
main(progress, signals).then(
  () => process.exit(0),
  (error) => {
    progress.fail(error);
    process.exit(error instanceof Failure ? 1 : 70);
  },
);
