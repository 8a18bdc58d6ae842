import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Failure } from './failure.mjs';
import { interruption } from './interruption.mjs';

const KEPT_LINES = 40;

/**
 * Runs a command to its end without a shell or a standard input, unless `input` is given. Resolves with its standard
 * output; `say` gets each line as it comes. Rejects with the last lines of its output. An interruption ends the command.
 */
export async function run(command, args, { cwd, env = process.env, say = () => {}, input, fix } = {}) {
  const child = spawn(command, args, { cwd, env, signal: interruption, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
  const output = [];
  const last = [];
  const read = (stream, keep) =>
    createInterface({ input: stream }).on('line', (line) => {
      keep?.push(line);
      last.push(line);
      if (last.length > KEPT_LINES) last.shift();
      say(line);
    });
  read(child.stdout, output);
  read(child.stderr);
  child.stdin?.end(input);
  const outcome = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}`));
  });
  if (outcome === undefined) return output.join('\n');
  throw new Failure(`${command} ${args.slice(0, 3).join(' ')}: ${outcome}\n${last.join('\n')}`, fix);
}

/** Whether a command can be run and ends with exit code 0. */
export async function succeeds(command, args, options) {
  return run(command, args, options).then(
    () => true,
    () => false,
  );
}
