// Every gate of the project, two at a time: `npm run check`. Ends with a table; exits 1 when a gate fails or warns.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** All shell scripts of the ports and launchers. */
function shellScripts() {
  const ports = readdirSync('ports', { recursive: true })
    .map((file) => join('ports', String(file)))
    .filter((file) => file.endsWith('.sh'));
  return [...ports, 'bin/with-node', '.ci/run'];
}

const GATES = [
  ['format', ['prettier', '--check', '--log-level', 'warn', '.']],
  ['lint', ['eslint', '--max-warnings', '0', '--cache', '--cache-location', '.cache/eslint/', '.']],
  ['types', ['tsc', '--noEmit', '-p', 'tsconfig.eslint.json']],
  ['imports', ['depcruise', '--output-type', 'err', 'src', 'migrations', 'cli/src', 'client/src']],
  ['generated files', ['node', 'bin/generate.mjs', '--check']],
  [
    'shellcheck',
    [
      'shellcheck',
      '--shell=sh',
      '--external-sources',
      ...shellScripts().filter((file) => file.endsWith('.sh') || file === 'bin/with-node'),
    ],
  ],
  ['shfmt', ['shfmt', '-d', '-i', '2', '-ci', ...shellScripts()]],
];

/** Runs one gate; resolves with its exit code and everything that it printed. */
function run([command, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => resolve({ code: 127, output: `${command}: ${error.message}\n` }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

const only = process.argv.slice(2);
const unknown = only.filter((name) => !GATES.some(([gate]) => gate === name));
if (unknown.length > 0) {
  console.error(`There is no gate "${unknown.join('", "')}". Gates: ${GATES.map(([name]) => name).join(', ')}`);
  process.exit(2);
}
const queue = GATES.filter(([name]) => only.length === 0 || only.includes(name));
const results = [];
async function worker() {
  for (let gate = queue.shift(); gate; gate = queue.shift()) {
    const [name, command] = gate;
    const started = performance.now();
    const { code, output } = await run(command);
    results.push({ name, code });
    console.log(`${code === 0 ? '✓' : '✗'} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
    if (code !== 0) console.log(output);
  }
}
await Promise.all([worker(), worker()]);
const failed = results.filter(({ code }) => code !== 0).map(({ name }) => name);
console.log(failed.length === 0 ? `All ${results.length} gates passed.` : `Failed: ${failed.join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);
